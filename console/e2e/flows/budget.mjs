// Budgets, measured with 1,000 tokens in the account and nothing else running: what the first load weighs, when the
// page can be used, how it scrolls, and how its files are kept and guarded.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";

const FIRST_LOAD_BYTES = 280 * 1024;
const INTERACTIVE_MS = 1_000;
const TOKENS = 1_000;
const RUNS = 5;
// A task longer than this is felt as a hitch, by the definition of the browser's own measure of responsiveness.
const HITCH_MS = 200;
// The part of the time of scrolling that long tasks may take.
const BUSY_MOST = 0.25;
const POLICY = /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[A-Za-z0-9+/]{22}=='; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'(; require-trusted-types-for 'script'; trusted-types [\w 'react#-]*)?$/;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Notes when the first card and its menu are there and the page is idle; and every long task. Runs in the page. */
function watch() {
  globalThis.tasks = [];
  new PerformanceObserver((list) => globalThis.tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: "longtask", buffered: true });
  const look = new MutationObserver(() => {
    if (!document.querySelector("article button[aria-haspopup], article button[aria-label^='More']")) return;
    look.disconnect();
    requestAnimationFrame(() => setTimeout(() => (globalThis.usable = performance.now())));
  });
  look.observe(document, { subtree: true, childList: true });
}

async function thousand(account) {
  const brand = await account();
  const person = await brand.member();
  await brand.import(person, Array.from({ length: TOKENS }, (_, index) => ({ name: `Integration ${String(index).padStart(4, "0")}`, days: index % 90, state: index % 7 ? "enabled" : "disabled" })));
  return { brand, person };
}

flow("the first load is small, compressed and our own; its files are kept for ever, the page is not", async ({ account, demo, page: open, note }) => {
  const { brand, person } = await thousand(account);
  const page = await open(person);
  const answers = [];
  page.on("response", (answer) => answers.push(answer));
  await page.goto(brand.tokens);
  await page.getByRole("article").first().waitFor();
  await page.waitForLoadState("networkidle");
  let bytes = 0;
  for (const answer of answers) {
    assert.ok(answer.url().startsWith(demo.url), answer.url());
    const { pathname } = new URL(answer.url());
    const headers = answer.headers();
    if (/\.(js|css)$/.test(pathname)) assert.equal(headers["content-encoding"], "br", pathname);
    if (pathname.startsWith("/assets/")) assert.equal(headers["cache-control"], "public, max-age=31536000, immutable", pathname);
    if (pathname === brand.tokens) {
      assert.match(headers["content-security-policy"], POLICY);
      assert.match(headers["cache-control"], /no-store|no-cache/);
    }
    if (!pathname.startsWith("/api/")) bytes += (await answer.request().sizes()).responseBodySize;
  }
  note(`${Math.ceil(bytes / 1024)} kB of at most ${FIRST_LOAD_BYTES / 1024} kB in ${answers.length} answers`);
  assert.ok(bytes > 50_000 && bytes <= FIRST_LOAD_BYTES, `${bytes} bytes`);
}, { alone: true });

flow(`with ${TOKENS} tokens the page can be used within a second`, async ({ account, page: open, note }) => {
  const { brand, person } = await thousand(account);
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    const page = await open(person, { watch });
    await page.goto(brand.tokens);
    await page.waitForFunction(() => globalThis.usable > 0);
    times.push(Math.round(await page.evaluate(() => globalThis.usable)));
    // It can: the first card's menu opens.
    await page.getByRole("button", { name: /^More: / }).first().click();
    await page.getByRole("menu").waitFor();
    await page.context().close();
  }
  note(`usable after ${median(times)} ms (${times.join(", ")}), with an empty cache`);
  assert.ok(median(times) < INTERACTIVE_MS, `${median(times)} ms`);
}, { alone: true });

flow(`${TOKENS} tokens scroll to the last one without a hitch`, async ({ account, page: open, note }) => {
  const { brand, person } = await thousand(account);
  const page = await open(person, { watch });
  await page.goto(brand.tokens);
  await page.getByRole("article").first().waitFor();
  await page.evaluate(() => (globalThis.tasks = []));
  const start = Date.now();
  await page.mouse.move(640, 600);
  const end = start + 90_000;
  const last = page.locator(`[aria-posinset="${TOKENS}"] article`);
  while (!(await last.isVisible())) {
    assert.ok(Date.now() < end, "the last card never comes");
    await page.mouse.wheel(0, 1_500);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  }
  assert.ok((await page.getByRole("article").count()) < TOKENS / 5, "only the cards near the view are in the page");
  const took = Date.now() - start;
  const tasks = await page.evaluate(() => globalThis.tasks);
  const busy = tasks.reduce((sum, task) => sum + task, 0);
  const hitches = tasks.filter((task) => task > HITCH_MS);
  note(`${tasks.length} tasks over 50 ms, the longest ${Math.round(Math.max(0, ...tasks))} ms, ${Math.round((busy / took) * 100)} % of ${(took / 1000).toFixed(1)} s`);
  assert.equal(hitches.length, 0, `tasks of ${hitches.map(Math.round).join(", ")} ms`);
  assert.ok(busy / took < BUSY_MOST, `${busy} ms of ${took} ms are long tasks`);
}, { alone: true });
