// Where people sit: a browser, a page for somebody signed in, and what every page must keep to. A page records what the
// browser complains about: errors, refused policies, failed loads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

export const WIDTH_LEAST = 360;
const STEP_MS = 30_000;
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Everything axe-core calls a violation, or only of these rules. Runs from outside: the page's own policy stays in force. */
export async function barriers(page, rules) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const found = await page.evaluate(
    // React Aria's announcer names a control that may be gone a moment later; it empties itself after some seconds.
    (only) => globalThis.axe.run({ exclude: ["[data-live-announcer]"] }, { resultTypes: ["violations"], ...(only ? { runOnly: { type: "rule", values: only } } : {}) }),
    rules,
  );
  return found.violations.flatMap((row) => row.nodes.slice(0, 3).map((node) => `${row.id} (${row.impact}): ${node.html.slice(0, 160)} ${node.failureSummary.split("\n")[1]?.trim().slice(0, 120)}`));
}

/**
 * What reaches beyond the width of the window: the page itself, or an element that no container of its own clips or
 * scrolls. Runs in the page.
 */
export function overflowing() {
  const width = document.documentElement.clientWidth;
  const found = [];
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${document.documentElement.scrollWidth} px wide`);
  const held = (element) => {
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      if (style.overflowX !== "visible" && box.right <= width + 1 && box.left >= -1) return true;
    }
    return false;
  };
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || (box.right <= width + 1 && box.left >= -1)) continue;
    const style = getComputedStyle(element);
    if (style.visibility === "hidden" || element.closest("[data-live-announcer], .skip") || held(element)) continue;
    found.push(`${Math.round(box.left)}–${Math.round(box.right)} px: ${element.outerHTML.slice(0, 160)}`);
  }
  return found.slice(0, 4);
}

/** What is wider than the narrowest screen; the page has its width back afterwards. */
export async function tooWide(page) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: WIDTH_LEAST, height: 780 });
  await page.waitForFunction((width) => window.innerWidth === width, WIDTH_LEAST);
  let wide = [];
  // The layout follows the width within some frames.
  const end = Date.now() + 2_000;
  do wide = await page.evaluate(overflowing);
  while (wide.length > 0 && Date.now() < end);
  await page.setViewportSize(before);
  return wide;
}

/** Waits for what the page only knows by a promise, which `waitForFunction` takes for true as it is. */
export async function comes(page, question, argument) {
  const end = Date.now() + STEP_MS;
  while (!(await page.evaluate(question, argument))) assert.ok(Date.now() < end, `${question} stays false`);
}

/** A page of a fresh context: the cookies are those of `state`, the cache is empty. */
async function fresh(browser, url, state, { theme = "light", width = 1280, height = 900, language = "en-US", agent, watch } = {}) {
  const context = await browser.newContext({
    baseURL: url,
    ...(state ? { storageState: state } : {}),
    ...(agent ? { userAgent: agent } : {}),
    viewport: { width, height },
    colorScheme: theme,
    locale: language,
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(STEP_MS);
  if (watch) await context.addInitScript(watch);
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
    expects: (...statuses) => statuses.forEach((status) => allowed.push(new RegExp(`status of ${status} `))),
    /** What the browser writes while there is no connection. */
    expectsOffline: () => allowed.push(/net::ERR_INTERNET_DISCONNECTED/),
    /** Loads an address, leaving what was typed. */
    async open(address) {
      await page.goto("about:blank");
      await page.goto(address);
    },
    /** Goes to an address within the page, as a link of it does. */
    turn: (address) =>
      page.evaluate((to) => {
        history.pushState({}, "", to);
        dispatchEvent(new PopStateEvent("popstate", { state: {} }));
      }, address),
  });
}

/** The browser; `page` gives a page to somebody signed in, or to nobody. */
export async function opened() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  return {
    page: (url, person, options) => fresh(browser, url, person?.state, options),
    close: () => browser.close(),
  };
}
