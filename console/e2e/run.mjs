// What people do in the console, in Debian's Chromium against the real program with nginx in front of a real API.
//   node e2e/run.mjs [--pictures] [TOPIC[:WORDS]...]
// Topics are the files of e2e/flows, all of them where none is named; of a topic, the flows whose name holds the words.
// Flows make what they need and rely on no other, so two run at a time; those that measure run by themselves at the end.
// `--pictures` writes the book's screenshots; nothing else is written.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { demonstration } from "./demonstration.mjs";
import { takePictures } from "./pictures.mjs";
import { platform, signIn } from "./platform.mjs";
import { opened } from "./seat.mjs";
import { flows } from "./flow.mjs";

const LANES = 2;
// On a machine that does much else at the same time everything takes longer: COUNTERSIGN_TEST_PATIENCE says how many times.
const PATIENCE = Number(process.env.COUNTERSIGN_TEST_PATIENCE ?? 1);
const ALL_MS = 900_000 * PATIENCE;
const FLOW_MS = 150_000 * PATIENCE;

const named = process.argv.slice(2).filter((word) => !word.startsWith("--"));
if (process.argv.includes("--pictures")) await takePictures();

const folder = new URL("flows/", import.meta.url);
const topics = readdirSync(folder).map((file) => file.replace(".mjs", "")).sort();
const wanted = [];
for (const name of named.length > 0 ? named : topics) {
  const [topic] = name.split(":", 1);
  const part = name.slice(topic.length + 1);
  assert.ok(topics.includes(topic), `there is no topic ${topic}; there are ${topics.join(", ")}`);
  const before = flows.length;
  await import(new URL(`${topic}.mjs`, folder));
  for (const flow of flows.slice(before)) flow.topic = topic;
  const found = flows.filter((flow) => flow.topic === topic && flow.what.includes(part) && !wanted.includes(flow));
  assert.ok(found.length > 0, `${name} holds no flow`);
  wanted.push(...found);
}

const start = Date.now();
const late = setTimeout(() => {
  console.log(`not ok: all of it takes longer than ${ALL_MS / 1000} s`);
  process.exit(1);
}, ALL_MS);
const demo = await demonstration();
const browser = await opened();
const operator = await signIn(demo.url, demo.email("operator"), demo.password("operator"));
const spent = new Map();
let failed = 0;

/** Runs one flow. What the browser complained about on any of its pages fails it. */
async function run({ what, topic, steps }) {
  const began = Date.now();
  const pages = [];
  const notes = [];
  const room = {
    demo,
    operator,
    ...platform(demo.url, operator),
    /** A page for somebody signed in, or for nobody. */
    async page(person, options = {}) {
      const page = await browser.page(options.url ?? demo.url, person, options);
      pages.push(page);
      return page;
    },
    /** A line about what was counted or measured. */
    note: (text) => notes.push(`   ${text}`),
  };
  let error;
  try {
    let timer;
    const tooLong = new Promise((_, refuse) => (timer = setTimeout(() => refuse(new Error(`takes longer than ${FLOW_MS / 1000} s`)), FLOW_MS)));
    await Promise.race([steps(room), tooLong]).finally(() => clearTimeout(timer));
    for (const page of pages) assert.deepEqual(page.complaints, [], "the browser complained");
  } catch (failure) {
    error = failure;
    failed += 1;
  }
  const seconds = (Date.now() - began) / 1000;
  spent.set(topic, (spent.get(topic) ?? 0) + seconds);
  console.log([`${error ? "not ok" : "ok"} ${topic}: ${what} (${seconds.toFixed(1)} s)`, ...notes].join("\n"));
  if (error) {
    console.log(error.stack);
    for (const page of pages.filter((one) => !one.isClosed())) {
      console.log(`-- at ${page.url()}\n${page.complaints.join("\n")}\n${(await page.locator("body").innerText({ timeout: 2_000 }).catch(() => "")).slice(0, 1500)}`);
    }
  }
  for (const page of pages) await page.context().close();
}

const waiting = wanted.filter((flow) => !flow.alone).sort((one, other) => (other.long ?? 0) - (one.long ?? 0));
const lane = async () => {
  for (let flow = waiting.shift(); flow; flow = waiting.shift()) await run(flow);
};
await Promise.all(Array.from({ length: LANES }, lane));
for (const flow of wanted.filter((one) => one.alone)) await run(flow);

clearTimeout(late);
await browser.close();
await demo.end();
for (const [topic, seconds] of [...spent].sort((one, other) => other[1] - one[1])) console.log(`   ${topic}: ${seconds.toFixed(0)} s`);
console.log(`${wanted.length - failed} passed, ${failed} failed, in ${((Date.now() - start) / 1000).toFixed(0)} s`);
process.exitCode = failed === 0 && wanted.length > 0 ? 0 : 1;
