// What the flows about payloads share: the list of them, an installation of their own, and pages on which everything that
// data must never cause is watched. It holds no flow.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { newInstallation } from "./demonstration.mjs";
import { flow } from "./flow.mjs";
import { firstOperator, platform } from "./platform.mjs";

export const PAYLOADS = readFileSync(new URL("data/payloads.txt", import.meta.url), "utf8").split("\n").filter(Boolean);
export const LEAST = 200;
export const SPARSE = 10;
assert.ok(PAYLOADS.length >= LEAST && new Set(PAYLOADS).size === PAYLOADS.length);

/** What of a payload an e-mail address may hold, before a domain of its own. */
export const mail = (payload, index) => {
  const kept = [...payload.replace(/[^\p{L}\p{N}!#$%&'*+\-/=?^_`{|}~]/gu, "")].slice(0, 30).join("");
  return `${kept}${index}@payload.example`;
};
export const pieces = (rows, size) => Array.from({ length: Math.ceil(rows.length / size) }, (_, index) => rows.slice(index * size, (index + 1) * size));

/** Notes whatever data must never cause, from before the first script of the page. Runs in the page. */
function watch() {
  const caught = (globalThis.caught = []);
  const note = (what) => caught.length < 20 && caught.push(what);
  addEventListener("securitypolicyviolation", (event) => note(`policy: ${event.violatedDirective} ${event.blockedURI}`), true);
  for (const name of ["alert", "confirm", "prompt", "print", "open"]) globalThis[name] = () => note(`${name} was called`);
  const FORBIDDEN = new Set(["iframe", "object", "embed", "applet", "base", "frame", "frameset", "animate", "set", "foreignobject", "image", "marquee", "audio", "video", "source", "track", "math", "dialog", "details", "portal", "slot", "keygen", "isindex", "map", "area", "img", "picture"]);
  const ADDRESSES = new Set(["href", "src", "action", "formaction", "xlink:href", "srcset", "poster", "background", "ping", "data", "srcdoc", "manifest"]);
  const own = (value) => {
    try {
      return new URL(value, location.href).origin === location.origin;
    } catch {
      return false;
    }
  };
  const judge = (element) => {
    const tag = element.localName.toLowerCase();
    // The accessible components keep items of a list in an empty one.
    if (tag === "template" && (element.attributes.length > 0 || element.content.querySelector("script, iframe, img"))) note(`template ${element.outerHTML.slice(0, 120)}`);
    if (FORBIDDEN.has(tag) || tag.includes(":") || tag.startsWith("xss")) note(`element ${element.outerHTML.slice(0, 120)}`);
    if (tag === "script" && !/^\/assets\/[\w-]+\.js$/.test(element.getAttribute("src") ?? "")) note(`script ${element.outerHTML.slice(0, 120)}`);
    if (tag === "meta" && element.hasAttribute("http-equiv")) note(`meta ${element.outerHTML.slice(0, 120)}`);
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name)) note(`attribute ${name}=${value.slice(0, 80)}`);
      if (ADDRESSES.has(name.toLowerCase()) && !own(value)) note(`address ${name}=${value.slice(0, 80)}`);
      if (name === "style" && /url\(|expression|import/i.test(value)) note(`style ${value.slice(0, 80)}`);
    }
  };
  new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "attributes") judge(record.target);
      for (const node of record.addedNodes) {
        if (node.nodeType !== Node.ELEMENT_NODE) continue;
        judge(node);
        node.querySelectorAll("*").forEach(judge);
      }
    }
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

/** Which of the texts the page does not show as they are: in its text, or in a field. Runs in the page. */
function missing(texts) {
  const shown = [document.body.textContent, ...[...document.querySelectorAll("input, textarea")].map((one) => one.value)];
  return texts.filter((text) => !shown.some((one) => one.includes(text)));
}

/**
 * Goes from address to address as links of the page do, and waits at each until it shows its texts as they are. Gives
 * the first that never did. Runs in the page.
 */
async function walk(steps) {
  const shown = (text) => document.body.textContent.includes(text) || [...document.querySelectorAll("input, textarea")].some((one) => one.value.includes(text));
  for (const [at, texts] of steps) {
    history.pushState({}, "", at);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    const end = performance.now() + 15_000;
    do {
      await new Promise((turn) => setTimeout(turn));
      if (performance.now() > end) return `${at}: ${texts.filter((text) => !shown(text)).join(" | ")}`;
    } while (!document.querySelector("main h1, main h2, main .banner") || !texts.every(shown));
  }
  return "";
}

/** Types each text into a field as a person does, and waits until the page shows it as it is. Runs in the page. */
async function type(field, [texts, key]) {
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value");
  for (const text of texts) {
    set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((turn) => setTimeout(turn));
    if (key) field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    const end = performance.now() + 15_000;
    while (field.value !== text && !document.body.textContent.includes(text)) {
      if (performance.now() > end) return text;
      await new Promise((turn) => setTimeout(turn));
    }
  }
  return "";
}

/** An installation of one's own, an operator, and pages on which everything is watched. */
export async function begin(room, language) {
  const installation = await newInstallation();
  const operator = await firstOperator(installation.url, installation.code);
  const pages = [];
  const made = platform(installation.url, operator);
  let shown = 0;
  return {
    ...made,
    operator,
    url: installation.url,
    webhooks: installation.webhooks,
    async page(person, options = {}) {
      const page = await room.page(person, { url: installation.url, watch, ...(language ? { language } : {}), ...options });
      const away = [];
      page.on("dialog", (box) => {
        // Leaving what was typed asks, as it should.
        if (box.type() !== "beforeunload") away.push(`dialog ${box.message()}`);
        void box.accept();
      });
      page.on("request", (request) => !request.url().startsWith(`${installation.url}/`) && request.url() !== "about:blank" && away.push(`request ${request.url()}`));
      page.on("popup", (popup) => away.push(`popup ${popup.url()}`));
      // What is refused here is meant to be.
      page.expects(400, 401, 403, 404, 409, 410, 412, 422, 429);
      pages.push({ page, away });
      return page;
    },
    /** Fails when a page of these does not show the texts as they are, or did what data must not cause. */
    async shows(page, texts, where) {
      const end = Date.now() + 10_000;
      for (let left = texts; left.length > 0; ) {
        left = await page.evaluate(missing, texts);
        assert.ok(left.length === 0 || Date.now() < end, `${where}: not shown as it is: ${JSON.stringify(left)} at ${page.url()}`);
      }
      shown += texts.length;
      await this.harmless(page, where);
    },
    /** Goes to each address and waits for its texts. */
    async walks(page, steps, where) {
      for (const some of pieces(steps, 40)) {
        assert.equal(await page.evaluate(walk, some), "", where);
        shown += some.reduce((sum, [, texts]) => sum + texts.length, 0);
        await this.harmless(page, where);
      }
    },
    /** Types every payload into a field, with a key behind each. */
    async types(page, field, where, key) {
      const wanted = PAYLOADS.map((payload) => payload.slice(0, 100));
      assert.equal(await field.evaluate(type, [wanted, key]), "", where);
      shown += wanted.length;
      await this.harmless(page, where);
    },
    async harmless(page, where) {
      assert.deepEqual(await page.evaluate(() => globalThis.caught), [], where);
      const { away } = pages.find((one) => one.page === page);
      assert.deepEqual(away, [], where);
    },
    count: () => shown,
    async end() {
      try {
        for (const { page, away } of pages) {
          assert.deepEqual(away, []);
          if (!page.isClosed()) await this.harmless(page, "at the end");
        }
      } finally {
        await installation.end();
      }
    },
  };
}

/** Adds a flow with an installation of its own. */
export const payloads = (what, steps, options) =>
  flow(`${what}: shown as text`, async (room) => {
    const own = await begin(room);
    try {
      await steps(own, room.note);
      room.note(`${PAYLOADS.length} payloads, ${own.count()} times found as they are`);
    } catch (error) {
      await own.end().catch(() => undefined);
      throw error;
    }
    await own.end();
  }, options);
