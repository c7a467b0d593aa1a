// No rule for a class that no page has, no class that no rule knows, no design token unused or unknown.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const source = fileURLToPath(new URL("../src/", import.meta.url));
const files = (folder) => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]));
const read = (ending) => files(source).filter((name) => name.endsWith(ending)).map((name) => readFileSync(name, "utf8"));
const css = read(".css").join("\n").replace(/\/\*[\s\S]*?\*\//g, "");
const code = read(".tsx").join("\n");

/** The words of every text in the sources: class names stand in them, alone or among others. */
const words = new Set();
for (const path of files(source).filter((name) => name.endsWith(".tsx"))) {
  const visit = (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) node.text.split(/[^\w-]+/).forEach((word) => words.add(word));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
}
const rules = new Set([...css.matchAll(/\.([a-z][\w-]*)/g)].map(([, name]) => name));

test("every class that has a rule is on some page", () => {
  assert.deepEqual([...rules].filter((name) => !words.has(name)).sort(), []);
});

test("every class of a page has a rule", () => {
  const plain = [...code.matchAll(/className="([^"]*)"/g)].flatMap(([, text]) => text.split(" "));
  assert.deepEqual([...new Set(plain)].filter((name) => name && !rules.has(name)).sort(), []);
});

test("every design token is used, and none is unknown", () => {
  const defined = new Set([...css.matchAll(/(?:^|[\s{;])(--[\w-]+):/g)].map(([, name]) => name));
  const used = new Set([...css.matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name));
  // React Aria sets these on what it places.
  const given = new Set(["--trigger-width", "--visual-viewport-height"]);
  assert.deepEqual([...defined].filter((name) => !used.has(name)).sort(), []);
  assert.deepEqual([...used].filter((name) => !defined.has(name) && !given.has(name)).sort(), []);
});

test("colours stand in the design tokens alone", () => {
  const outside = files(source).filter((name) => name.endsWith(".css") && !name.endsWith("styles/tokens.css")).filter((name) => /#[0-9a-f]{3,8}\b|rgb\(/i.test(readFileSync(name, "utf8").replace(/\/\*[\s\S]*?\*\//g, "")));
  assert.deepEqual(outside, []);
});
