// Where people sit: a browser, a context for everybody who signed in, and what every page must keep to. A page records
// what the browser complains about: errors, refused policies, failed loads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

export const WIDTH_LEAST = 360;
const STEP_MS = 30_000;
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Fails on what axe-core calls serious or critical. Runs from outside, so the page's own policy stays in force. */
export async function clean(page, where) {
  await page.evaluate(axe);
  // React Aria's announcer names a control that may be gone a moment later; it empties itself after some seconds.
  const found = await page.evaluate(() => globalThis.axe.run({ exclude: ["[data-live-announcer]"] }, { resultTypes: ["violations"] }));
  const barriers = found.violations
    .filter((row) => ["serious", "critical"].includes(row.impact))
    .map((row) => `${row.id}: ${row.nodes.slice(0, 3).map((node) => `${node.target} ${node.html.slice(0, 160)}`).join(" | ")}`);
  assert.deepEqual(barriers, [], where);
}

/** Fails when the page scrolls sideways on the narrowest screen; gives the page its width back. */
export async function fits(page, where) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: WIDTH_LEAST, height: 780 });
  try {
    await page.waitForFunction((width) => window.innerWidth === width && document.documentElement.scrollWidth <= width, WIDTH_LEAST, { timeout: 10_000 });
  } catch {
    const wide = await page.evaluate((width) => [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1).slice(-3).map((one) => one.outerHTML.slice(0, 160)), WIDTH_LEAST);
    assert.fail(`${where} is wider than ${WIDTH_LEAST} px: ${wide.join(" | ")}`);
  }
  await page.setViewportSize(before);
}

/** Waits for what the page only knows by a promise, which `waitForFunction` takes for true as it is. */
export async function comes(page, question, argument) {
  const end = Date.now() + STEP_MS;
  while (!(await page.evaluate(question, argument))) assert.ok(Date.now() < end, `${question} stays false`);
}

/** Asks the management API from within the page, as the console does. */
const call = (page, method, path, body, headers = {}) =>
  page.evaluate(
    async ([how, where, what, more]) => {
      const answer = await fetch(where, { method: how, headers: { "Content-Type": "application/json", ...more }, ...(what ? { body: JSON.stringify(what) } : {}) });
      return { status: answer.status, body: await answer.json() };
    },
    [method, `/api/v1${path}`, body, headers],
  );

/** A page of a fresh context: the state is the signed-in person's, the cache is empty. */
async function fresh(browser, demo, state, account, { theme = "light", width = 1280, height = 900, language = "en-US" } = {}) {
  const context = await browser.newContext({
    baseURL: demo.url,
    storageState: state,
    viewport: { width, height },
    colorScheme: theme,
    locale: language,
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  const complaints = [];
  // Nobody is signed in on the way to the sign-in page, and the console learns it by asking.
  const allowed = [/status of 401 .*\/api\/v1\/(session|catalog)$/];
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  page.on("console", (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (message.type() === "error" && !allowed.some((one) => one.test(text))) complaints.push(text);
  });
  return Object.assign(page, {
    complaints,
    /** A refusal this flow provokes; the browser writes it to its console. */
    expects: (status) => allowed.push(new RegExp(`status of ${status} `)),
    /** Loads an address, leaving what was typed. */
    async open(address) {
      await page.goto("about:blank");
      await page.goto(address);
    },
    /** The path of the account in the management API. */
    account: `/accounts/${account}`,
    asks: async (method, path, body, headers) => {
      const answer = await call(page, method, path, body, headers);
      assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`);
      return answer.body;
    },
    /** Makes a token as the console would; gives what is shown once. */
    async token(name, more = {}) {
      const { person } = await page.asks("GET", "/session");
      const wanted = { name, primary_contact: person.id, scopes: ["brand.actions.list"], ...more };
      const { token, secret } = await page.asks("POST", `${page.account}/tokens`, wanted, { "Idempotency-Key": crypto.randomUUID() });
      return { id: token.id, name, edit: token.edit, sid: token.sid, secret };
    },
    /** What a colleague changes meanwhile. */
    changes: (token, change) => page.asks("PATCH", `${page.account}/tokens/${token.id}`, change, { "If-Match": `"${token.edit}"` }),
  });
}

/** The browser, with a seat for nobody and a way to get seats for people. */
export async function opened(demo) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  return {
    nobody: { page: (options) => fresh(browser, demo, undefined, undefined, options) },
    /** Signs a person in through the page; `tokens` is the path of the token page of the account they land on. */
    async signedIn(person) {
      const page = await fresh(browser, demo);
      await page.goto("/sign-in");
      await page.getByLabel("E-mail address").fill(demo.email(person));
      await page.getByLabel("Password").fill(demo.password(person));
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.waitForURL((at) => /^\/(accounts|operator)\//.test(at.pathname));
      const state = await page.context().storageState();
      const [, kind, account] = new URL(page.url()).pathname.split("/");
      await page.context().close();
      const own = kind === "accounts" ? account : undefined;
      return { page: (options) => fresh(browser, demo, state, own, options), tokens: `/accounts/${own}/tokens` };
    },
    close: () => browser.close(),
  };
}
