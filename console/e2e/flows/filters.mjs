// The filters of the token list: each alone, all together in every combination against a plain reading of the rules,
// in the address, after a reload, with back and forward, cleared; and the search of the operator's lists.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { button, heading, press } from "../hands.mjs";
import { comes } from "../seat.mjs";

const AGES = [0, 2, 6, 8, 29, 31, 200];
const NAMES = ["Orders export", "orders IMPORT", "100% sure", "under_score", "Übersetzung", "订单 接口", "a.b*c(d)[e]"];
// What is typed, and which names hold it, ignoring case.
const SEARCHES = ["", "order", "ORDERS E", "%", "_", "über", "订单", "*c(", "e", "no such name"];
const CREATED = { "Any time": undefined, "Last 7 days": "last_7_days", "Last 30 days": "last_30_days", "More than 30 days": "more_than_30_days" };
const STATES = { All: undefined, Enabled: "enabled", Disabled: "disabled" };
const AGED = { last_7_days: (days) => days < 7, last_30_days: (days) => days < 30, more_than_30_days: (days) => days >= 30 };

const expected = (rows, q, created, state) =>
  rows.filter((row) => row.name.toLowerCase().includes(q.toLowerCase()) && (!created || AGED[created](row.days)) && (!state || row.state === state)).map((row) => row.name).sort();
const shown = () => [...document.querySelectorAll("article")].map((one) => one.getAttribute("aria-label")).sort();

/** Waits until the list holds exactly these names and nothing is on its way. */
async function holds(page, names, where) {
  const settled = (wanted) => {
    const list = document.querySelector("ul.cards[aria-busy]");
    const there = [...document.querySelectorAll("article")].map((one) => one.getAttribute("aria-label")).sort();
    return list?.getAttribute("aria-busy") !== "true" && JSON.stringify(there) === JSON.stringify(wanted);
  };
  await page.waitForFunction(settled, names, { timeout: 8_000 }).catch(async () => assert.deepEqual(await page.evaluate(shown), names, where));
  if (names.length === 0) await heading(page, "Nothing matches");
}

async function choose(page, option) {
  await page.getByRole("button", { name: /Created On$/ }).click();
  await page.getByRole("option", { name: option }).click();
}

/** Every age in either state, with the names in turn. */
async function furnish(account) {
  const brand = await account();
  const person = await brand.member();
  const rows = AGES.flatMap((days, age) => ["enabled", "disabled"].map((state, of) => ({ name: `${NAMES[(age * 2 + of) % NAMES.length]} ${days}${state[0]}`, days, state })));
  await brand.import(person, rows);
  return { brand, person, rows };
}

flow("every combination of search, created and state, by the controls, against a plain reading", async ({ account, page: open, note }) => {
  const { brand, person, rows } = await furnish(account);
  const page = await open(person);
  await page.goto(brand.tokens);
  await holds(page, expected(rows, ""), "without a filter");
  let combinations = 0;
  for (const q of SEARCHES) {
    await page.getByLabel("Search by Name").fill(q);
    for (const [created, period] of Object.entries(CREATED)) {
      await choose(page, created);
      for (const [label, state] of Object.entries(STATES)) {
        await page.getByRole("radio", { name: label, exact: true }).click();
        const where = `${q} / ${created} / ${label}`;
        await page.waitForURL((at) => (at.searchParams.get("q") ?? "") === q && (at.searchParams.get("created") ?? undefined) === period && (at.searchParams.get("state") ?? undefined) === state);
        await holds(page, expected(rows, q, period, state), where);
        combinations += 1;
      }
    }
  }
  note(`${combinations} combinations over ${rows.length} tokens`);
  assert.equal(combinations, SEARCHES.length * 4 * 3);
}, { long: 3 });

flow("filters live in the address: opened from a link, kept by a reload and on the way back, cleared together", async ({ account, page: open }) => {
  const { brand, person, rows } = await furnish(account);
  const page = await open(person);
  const address = `${brand.tokens}?q=order&created=last_30_days&state=enabled`;
  await page.goto(address);
  const names = expected(rows, "order", "last_30_days", "enabled");
  assert.ok(names.length > 0);
  const kept = async () => {
    await holds(page, names, page.url());
    assert.equal(await page.getByLabel("Search by Name").inputValue(), "order");
    await page.getByRole("button", { name: /Last 30 days/ }).waitFor();
    assert.equal(await page.getByRole("radio", { name: "Enabled", exact: true }).getAttribute("aria-checked"), "true");
  };
  await kept();
  await page.reload();
  await kept();
  await page.getByRole("link", { name: names[0], exact: true }).click();
  await page.waitForURL(/tokens\/tok_/);
  await page.goBack();
  await kept();
  await page.goForward();
  await page.waitForURL(/tokens\/tok_/);
  await page.goBack();
  await kept();
  await press(page, "Clear All");
  await page.waitForURL((at) => at.search === "");
  await holds(page, expected(rows, ""), "cleared");
  assert.equal(await page.getByLabel("Search by Name").inputValue(), "");
  assert.ok(await button(page, "Clear All").isDisabled());
  // What the address says and no control knows is left out, not an error.
  await page.open(`${brand.tokens}?created=yesterday&state=broken&q=`);
  await holds(page, expected(rows, ""), "an address nobody made");
  // From the page that says nothing matches, too.
  await page.open(`${brand.tokens}?q=nothing-is-called-this`);
  await heading(page, "Nothing matches");
  await page.locator(".empty").getByRole("button", { name: "Clear All" }).click();
  await holds(page, expected(rows, ""), "cleared from the empty list");
});

flow("typing searches while one types, the slash goes to the search, and nothing typed is lost", async ({ account, page: open }) => {
  const { brand, person, rows } = await furnish(account);
  const page = await open(person);
  await page.goto(brand.tokens);
  await holds(page, expected(rows, ""), "without a filter");
  await page.keyboard.press("/");
  await page.keyboard.type("orders export", { delay: 20 });
  await page.waitForURL((at) => at.searchParams.get("q") === "orders export");
  await holds(page, expected(rows, "orders export"), "typed");
  assert.equal(await page.getByLabel("Search by Name").inputValue(), "orders export");
  await page.keyboard.press("Escape");
  await page.waitForURL((at) => at.search === "");
  await holds(page, expected(rows, ""), "escaped");
});

flow("the activity: by what was done and when, alone and together, cleared", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Active");
  await person.asks("POST", `${brand.path}/tokens/${token.id}/disable`, {});
  const page = await open(person);
  await page.goto(`${brand.path}/activity`);
  const entries = page.locator("ol.trail > li");
  await entries.filter({ hasText: "Token created" }).waitFor();
  const all = await entries.count();
  const pick = async (control, option) => {
    await page.getByRole("button", { name: new RegExp(`${control}$`) }).click();
    await page.getByRole("option", { name: option, exact: true }).click();
  };
  await pick("What", "Token disabled");
  await page.waitForURL(/action=token\.disable/);
  await page.waitForFunction(() => document.querySelectorAll("ol.trail > li").length === 1);
  await pick("When", "Last 7 days");
  await page.waitForURL(/since=/);
  await page.waitForFunction(() => document.querySelectorAll("ol.trail > li").length === 1);
  await page.reload();
  await page.waitForFunction(() => document.querySelectorAll("ol.trail > li").length === 1);
  await pick("What", "Token deleted");
  await heading(page, "Nothing happened here");
  await press(page, "Clear All");
  await page.waitForURL((at) => at.search === "");
  await page.waitForFunction((count) => document.querySelectorAll("ol.trail > li").length === count, all);
});

flow("operators find accounts and people by part of a name or address", async ({ account, operator, page: open }) => {
  const one = await account("brand", { name: "Findable Brand", external_id: "findable-4711" });
  const person = await one.member("analyst", { name: "Findable Analyst", email: "findable.analyst@demo.example" });
  const page = await open(operator);
  await page.goto("/operator/accounts");
  for (const q of ["findable b", "findable-47"]) {
    await page.getByRole("searchbox", { name: "Search by name, external id or SID" }).fill(q);
    await page.waitForURL((at) => at.searchParams.get("q") === q);
    await comes(page, () => [...document.querySelectorAll("ul.rows > li")].length === 1);
    await page.getByRole("link", { name: "Findable Brand" }).waitFor();
  }
  await page.reload();
  await page.getByRole("link", { name: "Findable Brand" }).waitFor();
  await page.getByRole("searchbox", { name: "Search by name, external id or SID" }).fill("no such account");
  await heading(page, "Nothing matches");
  await page.goto("/operator/people");
  for (const q of ["findable an", person.email]) {
    await page.getByRole("searchbox", { name: "Search by name or e-mail address" }).fill(q);
    await page.waitForURL((at) => at.searchParams.get("q") === q);
    await comes(page, () => [...document.querySelectorAll("ul.rows > li")].length === 1);
    await page.getByText("Findable Analyst").waitFor();
  }
});
