// The colours of both themes against WCAG 2.2 AA: text 4.5:1; marks, edges of controls and focus 3:1.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../src/styles/tokens.css", import.meta.url), "utf8");
const pairs = [...css.matchAll(/--([\w-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
const themes = {
  light: Object.fromEntries(pairs.map(([, name, light]) => [name, light])),
  dark: Object.fromEntries(pairs.map(([, name, , dark]) => [name, dark])),
};

const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const light = (hex) => [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255)).reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
const contrast = (a, b) => {
  const [high, low] = [light(a), light(b)].sort((one, other) => other - one);
  return (high + 0.05) / (low + 0.05);
};

const GROUNDS = ["page", "surface", "float", "well", "hover"];
const STATES = ["enabled", "disabled", "expiring", "legacy", "retired"];
const TEXT = [
  ...["ink", "ink-2", "ink-3"].flatMap((ink) => GROUNDS.map((ground) => [ink, ground])),
  ...["page", "surface", "float", "act-soft"].map((ground) => ["act", ground]),
  ...["surface", "float", "harm-soft"].map((ground) => ["harm", ground]),
  ["act-ink", "act-fill"], ["act-ink", "act-press"], ["harm-ink", "harm-fill"], ["harm-ink", "harm-press"],
  ...STATES.map((state) => [state, `${state}-soft`]),
  ...["act-soft", "expiring-soft", "harm-soft", "enabled-soft"].map((ground) => ["ink", ground]),
  // The avatar's letters.
  ["surface", "ink"],
];
const MARKS = [
  ...[...["enabled", "disabled", "expiring", "legacy"].map((state) => `${state}-mark`), "control", "focus", "act-fill", "reach-read", "reach-write"].map((mark) => [mark, "surface"]),
  ["focus", "page"], ["focus", "float"], ["control", "float"],
];

for (const [name, colours] of Object.entries(themes)) {
  for (const [wanted, least, what] of [[TEXT, 4.5, "text"], [MARKS, 3, "marks"]]) {
    test(`${name}: ${what} at least ${least}:1`, () => {
      const low = wanted.map(([ink, ground]) => [ink, ground, contrast(colours[ink], colours[ground])]).filter(([, , value]) => !(value >= least));
      assert.deepEqual(low, []);
    });
  }
}
