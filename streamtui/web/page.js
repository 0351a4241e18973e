// Additions to textual.js: resuming sessions, character widths, clipboard and focus.

const body = document.body;
const SESSION = "session"; // key in sessionStorage, which survives a reload of this browser tab

// textual.js doesn't expose its terminal. It sets this property when it creates one.
let page;
Object.defineProperty(Object.prototype, "websocket_url", {
  configurable: true,
  set(url) {
    delete Object.prototype.websocket_url;
    this.websocket_url = url;
    page = this;
  },
});

// Remember the current session, so that a reload resumes it, and show why the program has ended.
window.WebSocket = class extends window.WebSocket {
  constructor(url) {
    const session = sessionStorage.getItem(SESSION);
    super(session ? `${url}&session=${encodeURIComponent(session)}` : url);
    this.addEventListener("message", ({ data }) => {
      const [kind, value] = typeof data === "string" ? JSON.parse(data) : [];
      if (kind !== "session") return;
      if (value) sessionStorage.setItem(SESSION, value);
      else sessionStorage.removeItem(SESSION);
    });
    this.addEventListener("close", ({ code, reason }) => {
      if (code === 1000) {
        sessionStorage.removeItem(SESSION);
      } else {
        document.getElementById("reason").textContent = reason || "Lost the connection to streamtui web. Is it still running?";
      }
    });
  }
};

// The terminal measures the font when it opens, so the font must be loaded by then.
const started = window.onload;
window.onload = async (event) => {
  await Promise.allSettled([document.fonts.load('16px "Roboto Mono"'), document.fonts.load('italic 16px "Roboto Mono"')]);
  started(event);
  page.terminal.unicode.register(new Widths(window.cellWidths));
  page.terminal.unicode.activeVersion = Widths.version;
  page.terminal.onRender(matchBackground);
};

// Measures characters as the program does, which uses Rich.
class Widths {
  static version = "rich";
  static JOINER = 0x200d;
  static EMOJI = 0xfe0f; // the selector that makes ❤ an emoji
  static GROWS = 1; // state: the selector would make the previous character wide
  static SKIPS = 2; // state: after a joiner, the next character has no width

  constructor({ ranges, grow }) {
    this.version = Widths.version;
    this.ranges = ranges;
    this.grow = new Set(grow);
  }

  wcwidth(code) {
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
    let low = 0;
    let high = this.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const [start, end, width] = this.ranges[middle];
      if (code < start) high = middle - 1;
      else if (code > end) low = middle + 1;
      else return width;
    }
    return 1;
  }

  // Packed as in xterm.js: the state, the width of the cluster, and whether `code` belongs to the previous cluster.
  charProperties(code, preceding) {
    const pack = (state, width, joins) => (state << 3) | (width << 1) | (joins ? 1 : 0);
    const state = preceding >> 3;
    const width = (preceding >> 1) & 3;
    if (preceding) {
      if (state & Widths.SKIPS) return pack(state & ~Widths.SKIPS, width, true);
      if (code === Widths.JOINER) return pack(state | Widths.SKIPS, width, true);
      if (code === Widths.EMOJI) return pack(0, state & Widths.GROWS ? width + 1 : width, true);
      if (this.wcwidth(code) === 0) return pack(state, width, true);
    }
    return pack(this.grow.has(code) ? Widths.GROWS : 0, this.wcwidth(code), false);
  }
}

// Give the margin beside the last column and row the color of the screen.
function matchBackground() {
  const cell = page.terminal.buffer.active.getLine(0)?.getCell(page.terminal.cols - 1);
  if (cell?.isBgRGB()) body.style.backgroundColor = `#${cell.getBgColor().toString(16).padStart(6, "0")}`;
}

// Leave ctrl+v to the browser, which pastes its clipboard; the terminal would send the key to the program.
window.addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey && !event.altKey && !event.metaKey && event.code === "KeyV") event.stopImmediatePropagation();
  },
  true,
);

// Focus the terminal without a click. Not before the first paint: textual.js reports the focus over the socket,
// which must be open, and Textual's web driver starts out unfocused.
new MutationObserver((_, observer) => {
  if (body.classList.contains("-first-byte")) {
    observer.disconnect();
    document.querySelector(".xterm-helper-textarea")?.focus();
  }
}).observe(body, { attributeFilter: ["class"] });

document.getElementById("restart").addEventListener("click", () => window.location.reload());
