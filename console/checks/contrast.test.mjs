// The colours of both themes against WCAG 2.2 AA: text 4.5:1; marks, edges of controls and focus 3:1.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");
const read = (block) => Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((found) => [found[1], found[2]]));
const themes = { light: read(css.slice(0, css.indexOf("[data-theme"))), dark: read(css.slice(css.indexOf('[data-theme="dark"]'), css.indexOf("@media (prefers-color-scheme"))) };
const system = read(css.slice(css.indexOf("@media (prefers-color-scheme"), css.indexOf("@media (prefers-reduced")));

const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const light = (hex) => [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255)).reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
const contrast = (a, b) => {
  const [high, low] = [light(a), light(b)].sort((one, other) => other - one);
  return (high + 0.05) / (low + 0.05);
};

const GROUNDS = ["canvas", "surface", "raised", "sunken", "hover"];
const TEXT = [
  ...["text", "text-2", "text-3"].flatMap((ink) => GROUNDS.map((ground) => [ink, ground])),
  ...["canvas", "surface", "raised", "accent-soft"].map((ground) => ["accent", ground]),
  ["danger", "surface"], ["danger", "raised"], ["danger", "danger-soft"],
  ["text-on-accent", "accent-fill"], ["text-on-accent", "accent-fill-hover"], ["text-on-danger", "danger-fill"], ["text-on-danger", "danger-fill-hover"],
  ...["enabled", "disabled", "expiring", "legacy", "retired"].map((state) => [state, `${state}-soft`]),
  ["text", "accent-soft"], ["text", "expiring-soft"], ["text", "danger-soft"], ["text", "enabled-soft"],
];
const MARKS = [
  ...["enabled-mark", "disabled-mark", "expiring-mark", "legacy-mark", "retired-mark", "control", "focus", "accent-fill"].map((mark) => [mark, "surface"]),
  ["focus", "canvas"], ["focus", "raised"], ["control", "raised"], ["reach-read", "surface"], ["reach-write", "surface"],
];

for (const [name, colours] of Object.entries(themes)) {
  for (const [pairs, least, what] of [[TEXT, 4.5, "text"], [MARKS, 3, "marks"]]) {
    test(`${name}: ${what} at least ${least}:1`, () => {
      const low = pairs.map(([ink, ground]) => [ink, ground, contrast(colours[ink], colours[ground])]).filter(([, , value]) => value < least);
      assert.deepEqual(low, []);
    });
  }
}

test("the dark theme is the same by choice and by system", () => assert.deepEqual(system, themes.dark));
