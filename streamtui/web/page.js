// What the page does beside showing the screen.

const body = document.body;

// The terminal measures its letters when it opens: by then the font has to be there.
const started = window.onload;
window.onload = async (event) => {
  await Promise.allSettled([document.fonts.load('16px "Roboto Mono"'), document.fonts.load('italic 16px "Roboto Mono"')]);
  started(event);
};

// Writing begins without a click. Not before the first paint: textual.js tells of the focus over a socket that
// has to be open, and Textual's web driver starts out as if another window had it.
new MutationObserver((_, observer) => {
  if (body.classList.contains("-first-byte")) {
    observer.disconnect();
    document.querySelector(".xterm-helper-textarea")?.focus();
  }
}).observe(body, { attributeFilter: ["class"] });

document.getElementById("again").addEventListener("click", () => window.location.reload());
