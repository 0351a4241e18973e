"""Code as chat replies have it, one piece per language, with the constructs that go over several lines."""

SNIPPETS = {
    "python": '''\
#!/usr/bin/env python3
"""Module docstring

over lines."""
from __future__ import annotations
import os, sys as system

@dataclass(frozen=True)
class Point(Base):
    """A docstring \\d
    with 'quotes' and "more"."""
    x: int = 0x1F
    name: str = """not a docstring
    but a string %s {x}"""

    async def move(self, *, dx: float = 1.5e3) -> "Point":
        \'\'\'Single quoted docstring.\'\'\'
        text = (
            f"{self.x:>10} and {
                dx + 1
            } done"
            "tail"
        )
        query = f"""
            select {self.name!r} -- {dx if dx else "none"}
        """
        match self:
            case Point(x=0) | None:
                raise ValueError(f'bad {text}') from None
        return [x async for x in y if x is not None and \\
            x != 3]
''',
    "javascript": """\
/**
 * Fetches a thing.
 * @param {string} url the "url"
 */
import React, { useState } from 'react';
const re = /ab+c\\/[/]/gi, n = 0xff, big = 10n;
export async function load(url, { retries = 3 } = {}) {
  const text = `line one ${url}
  line two ${retries > 1 ? `inner ${n}` : 'x'}
  end`;
  /* a comment
     of two lines */ const after = 1;
  return await fetch(url) // trailing
    .then(r => r.json())
    .catch(e => { throw new Error('no' + e); });
}
""",
    "typescript": """\
/* Types
   here */
interface User<T extends object = {}> {
  readonly id: number;
  name?: string;
}
@Injectable()
export class Service implements OnInit {
  private cache: Map<string, User> = new Map();
  get(id: number): Promise<User | undefined> {
    return this.http.get<User>(`/users/${id}
      ?x=1`);
  }
}
""",
    "json": '{\n  "name": "x",\n  "list": [1, 2.5e3, true, null],\n  "nested": {"a\\n": "b\\u00e9"}\n}\n',
    "yaml": """\
# compose
version: "3.8"
services:
  web:
    image: nginx:latest
    command: >
      sh -c "echo hi
      && run: it"
    script: |
      #!/bin/bash
      key: value

      for x in *; do echo $x; done
    ports: [ "80:80",
      443 ]
    description: plain text
      that goes on
    quoted: 'one
      two'
  db: &anchor
    <<: *base
    on: true
---
- item
- other: 3
""",
    "sql": """\
-- a comment
SELECT u.id, COUNT(*) AS n, 'it''s
over two lines' AS s
FROM users u
/* block
   comment */
LEFT JOIN orders o ON o.user_id = u.id AND o.note = "quoted
name"
WHERE u.created >= '2024-01-01' AND u.age > 30.5
GROUP BY 1 HAVING COUNT(*) > 3;
""",
    "postgresql": """\
CREATE OR REPLACE FUNCTION f(a integer) RETURNS integer AS $body$
DECLARE
  n integer := 0;
BEGIN
  IF a > 1 THEN RETURN 'x'; END IF;
END;
$body$ LANGUAGE plpgsql;
SELECT 1;
""",
    "bash": """\
#!/usr/bin/env bash
set -euo pipefail
name="John ${USER:-nobody}
second line $name"
echo 'single
quoted' | grep -v "x" > /dev/null 2>&1
cat <<EOF > out.txt
if this is $name then
  for 'all'
EOF
for f in $(ls *.txt); do
  if [[ -f "$f" ]]; then echo "$((1 + 2))"; fi  # comment
done
awk '{
  print $1
}' file
python3 <<-'PY'
print("hi")
PY
""",
    "go": """\
package main

/*
Doc with "quotes"
*/
import "fmt"

// Point is one.
type Point struct {
	X int `json:"x"`
}

func (p *Point) String() (string, error) {
	const text = `raw "string"
over lines
`
	for i, v := range []int{1, 2} {
		go func() { ch <- fmt.Sprintf("%d\\n", i+v) }()
	}
	return text, nil
}
""",
    "rust": """\
//! Crate docs
/* outer /* nested
   comment */ still */
use std::collections::HashMap;

#[derive(Debug, Clone)]
pub struct Point<'a, T: Copy> {
    name: &'a str,
    x: Option<T>,
}

/// Docs
impl<'a, T: Copy> Point<'a, T> {
    pub fn new(name: &'a str) -> Result<Self, Box<dyn Error>> {
        let text = "two
            lines \\
            more";
        let raw = r#"raw "quoted"
            text"#;
        println!("{} {:?}", text, b'x');
        Ok(Self { name, x: None })
    }
}
""",
    "c": """\
/* A file
 * with comments */
#include <stdio.h>
#include "own.h" // why
#define MAX(a, b) \\
    ((a) > (b) ? (a) : (b))
#if 0
int dead = 1;
#endif

typedef struct node { size_t n; uint8_t *p; } node_t;

static int add(int a, int b)
{
    return a + b; // sum
}

int long_name(const char *first,
              unsigned int second)
{
    for (size_t i = 0; i < 10u; i++) {
        printf("%d\\n", 0x1f); /* here */
    }
    switch (second) { case 'a': return 1; default: break; }
    return 0;
}
""",
    "cpp": """\
#include <vector>
namespace app {
/** Doc
 */
template <typename T>
class Box final : public Base<T> {
public:
    explicit Box(std::string name) : name_(std::move(name)) {}
    auto get() const -> const T& { return *value_; }
private:
    std::string sql_ = R"sql(
        select "x" from y
    )sql";
    std::unique_ptr<T> value_{nullptr};
};
}  // namespace app
""",
    "java": '''\
/**
 * Doc.
 */
package com.example;

import java.util.List;

@Service
public final class Main<T> extends Base implements Runnable {
    private static final int MAX = 1_000;
    /* two
       lines */
    public List<String> run(int a) throws IOException {
        String block = """
            text "block" here
            """;
        return List.of("a", block).stream().map(s -> s + 'c').toList();
    }
}
''',
    "csharp": """\
using System;
/* a
   b */
namespace App {
    [Serializable]
    public record Person(string Name) : IThing {
        public async Task<int> RunAsync() {
            var path = @"c:\\dir one
                second ""q"" x";
            return await Task.FromResult($"{Name}".Length);
        }
    }
}
""",
    "html": """\
<!DOCTYPE html>
<html lang="en">
<!-- a comment
     over lines -->
<head>
  <style>
    /* css
       comment */
    .card:hover > a { color: #fff; margin: 0 auto !important; }
  </style>
  <script type="module">
    const x = `template
      ${y}`;
    if (a < b) { run("</div>"); }
  </script>
</head>
<body class="one
  two" data-x='3'>
  <p>Text &amp; more</p>
  <input disabled
    value="x">
</body>
</html>
""",
    "css": """\
@import url("x.css");
/* multi
   line */
:root { --main: #06c; }
@media (max-width: 600px) {
  .a::before, #id > li:nth-child(2n+1) {
    content: "x";
    background:
      url(data:image/png;base64,AAA),
      linear-gradient(to right, red 0%, rgba(0, 0, 0, .5));
  }
}
""",
    "xml": '<?xml version="1.0"?>\n<!-- a\n b -->\n<a x="1\n2"><![CDATA[ x < y\n ]]>\n  <b:c/>text</a>\n',
    "php": """\
<?php
/** Doc
 * @param int $x */
namespace App\\Models;
# comment
final class User extends Model {
    public function name(?string $x = null): string {
        $sql = "select * from {$this->table}
            where id = $x";
        $text = <<<EOT
Dear $name,
 it's "done"
EOT;
        return strtoupper('a
b') . PHP_EOL;
    }
}
""",
    "ruby": """\
# frozen_string_literal: true
=begin
block comment
=end
module Shop
  class Cart < Base
    attr_reader :items
    def total(tax: 0.2)
      sql = <<~SQL
        select * from "items"
        where x = 'y'
      SQL
      text = "two #{items.map { |i| i.price }.sum}
        lines"
      list = %w[a b
        c]
      items.sum(&:price) * (1 + tax) unless items.empty?
    end
  end
end
""",
    "toml": """\
[tool.x]
name = "a"
n = 1_000
text = \"\"\"
more [not.a.table]
x = 1
\"\"\"
list = [
  1, 2.5,
]
""",
    "dockerfile": """\
FROM python:3.12 AS base
# comment
RUN apt-get update && apt-get install -y "x"
ENV A=1 B="two"
COPY --from=base /a /b
CMD ["run", "x"]
""",
    "diff": "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n context\n-old line\n+new line\n",
    "kotlin": """\
data class A(val x: Int)
/* a
 b */
fun main() {
    val s = \"\"\"
      raw $x ${y.z}
    \"\"\"
    println(listOf(1, 2).map { it * 2 })
}
""",
    "swift": """\
import UIKit
/* a /* b */
 c */
struct V: View {
  @State var n = 0
  let s = \"\"\"
  multi \\(n)
  \"\"\"
  func f(_ a: Int) -> String? { return nil }
}
""",
    "lua": """\
--[[ a
 b ]]
local s = [==[ long
 ]] string ]==]
function f(a, ...)
  return #a .. 'x' -- c
end
""",
    "powershell": """\
<# block
 comment #>
$x = @"
Hello $name
"@
function Get-It { param([string]$Name) Write-Host "x $Name" }
$y = @'
raw $x
'@
""",
    "markdown": """\
# Title

Text *em* **strong** `code`

```python
def f():
    "one"
```

- item
> quote
""",
}
