// Every stable code the management API may answer, every audited action and every event has a text of its own in the
// catalogs; the server's words, which are English, are then never shown.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const server = fileURLToPath(new URL("../../crates/countersign-server/src/", import.meta.url));
const catalog = readFileSync(new URL("../src/i18n/en.ts", import.meta.url), "utf8");
const files = (folder) => readdirSync(folder).flatMap((name) => (statSync(join(folder, name)).isDirectory() ? files(join(folder, name)) : [join(folder, name)]));

// Answered by the doors of the data plane to gateways; no browser gets them.
const DATA_PLANE = new Set(["gateway_unknown", "gateway_untrusted", "gateway_misconfigured"]);

function codes() {
  const found = new Set();
  for (const path of files(server).filter((name) => name.endsWith(".rs"))) {
    const text = readFileSync(path, "utf8");
    const constants = new Map([...text.matchAll(/const ([A-Z_]+): &str = "([a-z_]+)";/g)].map(([, name, value]) => [name, value]));
    for (const [, literal, name] of text.matchAll(/Kind::[A-Z]\w+,\s*(?:"([a-z_]+)"|([A-Z_]+)\b)/g)) {
      const code = literal ?? constants.get(name);
      if (code) found.add(code);
    }
    // What the store refuses: `Conflict::X => ("code", "field", "detail")`.
    if (path.endsWith("src/error.rs")) for (const [, code] of text.matchAll(/Conflict::\w+ =>\s*\{?\s*\(\s*"([a-z_]+)"/g)) found.add(code);
    for (const [, value] of text.matchAll(/pub const [A-Z_]*REFUSED: &str = "([a-z_]+)"/g)) found.add(value);
  }
  return found;
}

test("every stable code has a text", () => {
  const all = codes();
  assert.ok(all.size > 60, `${all.size} codes found`);
  assert.deepEqual([...all].filter((code) => !DATA_PLANE.has(code) && !catalog.includes(`"error.${code}"`)).sort(), []);
});

const model = (name) => readFileSync(new URL(`../../crates/countersign-model/src/${name}`, import.meta.url), "utf8");
const events = [...model("event.rs").matchAll(/Self::\w+ => "([a-z.]+)"/g)].map(([, event]) => event);

/** What the audit trail may say was done: what stands as `action`, and whatever else reads like one of a known noun. */
function actions() {
  const nouns = new Set([...catalog.matchAll(/"action\.([a-z_]+)\./g)].map(([, noun]) => noun));
  const others = new Set([...events, ...[...catalog.matchAll(/"permission\.([a-z.]+)"/g)].map(([, permission]) => permission), "backup.part"]);
  const found = new Set();
  for (const path of files(server).filter((name) => name.endsWith(".rs") && !/\/(tests|limits)/.test(name) && !/\/(http|mail|webhooks)\//.test(name))) {
    const text = readFileSync(path, "utf8").split("#[cfg(test)]")[0];
    for (const [, action] of text.matchAll(/action: "([a-z_]+\.[a-z_]+)"/g)) found.add(action);
    for (const [, action, noun] of text.matchAll(/"(([a-z_]+)\.[a-z_]+)"/g)) if (nouns.has(noun) && !others.has(action)) found.add(action);
  }
  return found;
}

test("every audited action has a name", () => {
  const all = actions();
  assert.ok(all.size > 60, `${all.size} actions found`);
  assert.deepEqual([...all].filter((action) => !catalog.includes(`"action.${action}"`)).sort(), []);
});

test("every event has a name, and the console knows every event", () => {
  const known = readFileSync(new URL("../src/parts/events.ts", import.meta.url), "utf8");
  assert.ok(events.length > 15, `${events.length} events found`);
  assert.deepEqual(events.filter((event) => !catalog.includes(`"event.${event}"`) || !known.includes(`"${event}"`)), []);
});
