// Both languages hold the same keys and variables, every key is used, and no text a person reads stands outside them.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { IntlMessageFormat } from "intl-messageformat";
import ts from "typescript";

const source = fileURLToPath(new URL("../src/", import.meta.url));
const files = (folder) => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]));
const parse = (path) => ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, path.endsWith("x") ? ts.ScriptKind.TSX : ts.ScriptKind.TS);

function catalog(name) {
  const words = new Map();
  const visit = (node) => {
    if (ts.isPropertyAssignment(node) && ts.isStringLiteral(node.initializer)) {
      const key = ts.isStringLiteral(node.name) ? node.name.text : node.name.getText();
      assert.ok(!words.has(key), `${name}: ${key} stands there twice`);
      words.set(key, node.initializer.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(join(source, "i18n", `${name}.ts`)));
  return words;
}
const en = catalog("en");
const zh = catalog("zh-CN");
/** The variables of an ICU message, wherever they stand in it. */
function variables(text) {
  const found = new Set();
  const visit = (parts) => {
    for (const part of parts) {
      // Type 0 is plain text and 7 the number sign; everything else names a variable.
      if (part.type !== 0 && part.type !== 7) found.add(part.value);
      for (const option of Object.values(part.options ?? {})) visit(option.value);
    }
  };
  visit(new IntlMessageFormat(text, "en").getAst());
  return [...found].sort();
}

test("both languages hold the same keys", () => {
  assert.deepEqual([...zh.keys()].sort(), [...en.keys()].sort());
  assert.ok(en.size > 400);
});

test("no text is empty, and each names only variables the other names too", () => {
  for (const [key, text] of en) {
    assert.ok(text.trim() && zh.get(key).trim(), key);
    assert.deepEqual(variables(zh.get(key)), variables(text), key);
  }
});

const WORDY = /[A-Za-z\u4e00-\u9fff]{2,}/;
const READ = new Set(["aria-label", "aria-description", "label", "title", "placeholder", "help", "error", "name", "lead", "sub", "alt"]);
// The product's own name is the same in every language.
const SAME = new Set(["Countersign"]);

test("no text a person reads stands outside the catalogs", () => {
  const found = [];
  for (const path of files(source).filter((name) => name.endsWith(".tsx"))) {
    const visit = (node) => {
      if (ts.isJsxText(node) && WORDY.test(node.text)) found.push(`${path}: ${node.text.trim()}`);
      if (ts.isJsxAttribute(node) && node.initializer && READ.has(node.name.getText())) {
        const element = node.parent.parent.tagName?.getText();
        // `name` of an icon or a form field is for the machine.
        const machine = node.name.getText() === "name" && ["Icon", "Field"].includes(element);
        if (!machine && ts.isStringLiteral(node.initializer) && WORDY.test(node.initializer.text) && !SAME.has(node.initializer.text)) found.push(`${path}: ${node.initializer.text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(parse(path));
  }
  assert.deepEqual(found, []);
});

test("every key is used", () => {
  const text = files(source).filter((name) => /\.tsx?$/.test(name) && !name.includes("/i18n/en") && !name.includes("/i18n/zh")).map((name) => readFileSync(name, "utf8")).join("\n");
  const patterns = [...text.matchAll(/`([\w.]*\$\{[^`]*)`/g)].map((found) => new RegExp(`^${found[1].replace(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, "\u0000").replace(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll("\u0000", ".+")}$`)).filter((one) => !/^\^?\.\+\$?$/.test(one.source));
  const unused = [...en.keys()].filter((key) => !text.includes(`"${key}"`) && !patterns.some((one) => one.test(key)));
  assert.deepEqual(unused, []);
});
