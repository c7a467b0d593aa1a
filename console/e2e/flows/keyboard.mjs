// Everything by keyboard alone: no flow of this file uses the mouse. Wherever the focus goes, it can be seen.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { card, noDialog, shownOnce } from "../hands.mjs";

const TABS_MOST = 200;

/** What has the focus: its role or tag and its name. Fails when nothing shows that it has. */
async function focused(page) {
  const seen = await page.evaluate(() => {
    const at = document.activeElement;
    if (!at || at === document.body) return { name: "", role: "body", shows: true };
    const marks = (element) => {
      const style = getComputedStyle(element);
      return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    };
    const shell = at.closest("label, .input, .field, .check, .switch, li, a, button");
    const rings = [at, at.parentElement, shell, at.nextElementSibling, shell?.querySelector(".t, .mark")].filter(Boolean);
    const name = at.getAttribute("aria-label") ?? (at.getAttribute("aria-labelledby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    return { name: name || at.textContent.trim() || at.labels?.[0]?.textContent.trim() || "", role: at.getAttribute("role") ?? at.tagName.toLowerCase(), shows: rings.some(marks), html: at.outerHTML.slice(0, 200) };
  });
  // A heading takes the focus so that reading starts there; one does not act on it.
  assert.ok(seen.shows || ["h1", "dialog", "alertdialog", "section", "main"].includes(seen.role), `nothing shows that the focus is on ${seen.html}`);
  return seen;
}

/** Presses Tab until what has the focus is called so; gives how often. */
async function tabTo(page, wanted, key = "Tab") {
  const passed = [];
  for (let count = 0; count <= TABS_MOST; count += 1) {
    const { name, role } = await focused(page);
    if (typeof wanted === "string" ? name === wanted : wanted.test(name)) return count;
    passed.push(`${role} ${name.slice(0, 30)}`);
    await page.keyboard.press(key);
  }
  return assert.fail(`Tab never comes to ${wanted}: ${passed.slice(-30).join(", ")}`);
}
const arrive = (page, heading) => page.locator("h1:focus", { hasText: heading }).waitFor();

/** The keyboard and nothing else: a click of the mouse fails. */
async function handsOff(page) {
  await page.evaluate(() => document.addEventListener("pointerdown", (event) => event.isTrusted && event.pointerType === "mouse" && console.error("the mouse was used"), true));
}

async function typed(page, text) {
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

flow("the skip link is first and leads past the bar", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  await person.token(brand, "Behind the bar");
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, "Behind the bar").waitFor();
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).name, "Skip to content");
  await page.locator(".skip:focus").waitFor();
  const box = await page.locator(".skip").boundingBox();
  assert.ok(box.y >= 0 && box.x >= 0 && box.width > 20, "the skip link can be seen");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  const inside = await page.evaluate(() => document.getElementById("main").contains(document.activeElement));
  assert.ok(inside, "the next Tab is in the content");
});

flow("the whole wizard", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member("account_administrator", { name: "Keyboard Administrator" });
  await brand.member("implementation_specialist", { name: "Other Contact" });
  const page = await open(person);
  await page.goto(brand.tokens);
  await page.getByRole("link", { name: "Create access token" }).first().waitFor();
  await handsOff(page);
  await tabTo(page, "Create access token");
  await page.keyboard.press("Enter");
  await arrive(page, "What is the token for?");
  await tabTo(page, /^Token Name/);
  await page.keyboard.type("By keyboard");
  await tabTo(page, /^Description/);
  await page.keyboard.type("No mouse");
  await tabTo(page, /Version 14/);
  await page.keyboard.press("Enter");
  await page.getByRole("listbox").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("listbox").waitFor({ state: "detached" });
  await tabTo(page, "Next");
  await page.keyboard.press("Enter");
  await arrive(page, "Who answers for it?");
  await tabTo(page, /Keyboard Administrator/);
  await page.keyboard.press("Space");
  await page.keyboard.type("Oth");
  await page.keyboard.press("Enter");
  await tabTo(page, /^Developer e-mail addresses/);
  await page.keyboard.type("one@demo.example,two@demo.example");
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: "two@demo.example" }).waitFor();
  // Backspace in the empty field goes to the last chip, where it removes it.
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Backspace");
  await page.getByRole("row", { name: "two@demo.example" }).waitFor({ state: "detached" });
  await page.getByRole("row", { name: "one@demo.example" }).waitFor();
  await tabTo(page, "Back");
  await page.keyboard.press("Enter");
  await arrive(page, "What is the token for?");
  await tabTo(page, "Next");
  await page.keyboard.press("Enter");
  await arrive(page, "Who answers for it?");
  await tabTo(page, "Next");
  await page.keyboard.press("Enter");
  await arrive(page, "What may this token do?");
  await tabTo(page, "Search by label, method or path");
  await page.keyboard.type("/Actions");
  await page.keyboard.press("Escape");
  await tabTo(page, "Ads");
  await page.keyboard.press("Space");
  await tabTo(page, "Tick all: Ads");
  await page.keyboard.press("Enter");
  await tabTo(page, "All reads", "Shift+Tab");
  await page.keyboard.press("Enter");
  await tabTo(page, "Next");
  await page.keyboard.press("Enter");
  await arrive(page, "Look it over");
  await tabTo(page, "Edit: Token Name");
  await page.keyboard.press("Enter");
  await arrive(page, "What is the token for?");
  await tabTo(page, /^Token Name/);
  await typed(page, "By keyboard alone");
  for (const heading of ["Who answers for it?", "What may this token do?", "Look it over"]) {
    await tabTo(page, "Next");
    await page.keyboard.press("Enter");
    await arrive(page, heading);
  }
  await tabTo(page, "Create");
  await page.keyboard.press("Enter");
  await arrive(page, "Copy the credentials");
  const { sid, secret } = await shownOnce(page);
  await tabTo(page, "Copy Auth Token");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.textContent.includes("Copied"));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
  assert.equal(await demo.ask(sid, secret), 200);
  await tabTo(page, "Back to the tokens");
  await page.keyboard.press("Enter");
  await card(page, "By keyboard alone").waitFor();
});

flow("the card's menu: every item, the focus stays in the dialog and comes back to where it was", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const name = "Only card";
  await person.token(brand, name, { api_version: 13 });
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, name).waitFor();
  await handsOff(page);
  const more = `More: ${name}`;
  const openMenu = async (item) => {
    await tabTo(page, more);
    await page.keyboard.press("Enter");
    await page.getByRole("menu").waitFor();
    const at = () => page.evaluate((wanted) => document.activeElement.textContent.startsWith(wanted), item);
    for (let turn = 0; !(await at()); turn += 1) {
      assert.ok(turn < 10, `the arrows never come to ${item}`);
      await focused(page);
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Enter");
    await page.getByRole("menu").waitFor({ state: "detached" });
  };
  /** Tab goes around inside, forwards and backwards. */
  const trapped = async () => {
    for (const key of ["Tab", "Shift+Tab"]) {
      for (let turn = 0; turn < 12; turn += 1) {
        await page.keyboard.press(key);
        await focused(page);
        assert.ok(await page.evaluate(() => document.activeElement.closest("[role=dialog], [role=alertdialog]") !== null), "the focus left the dialog");
      }
    }
  };
  for (const [item, title] of [["Duplicate", /Duplicate “/], ["Reset", /Reset “/], ["Upgrade Version", /Upgrade “/], ["Disable", /Disable “/], ["Delete", /Delete “/]]) {
    await openMenu(item);
    await page.getByRole("heading", { name: title }).waitFor();
    await page.waitForFunction(() => document.activeElement.closest("[role=dialog], [role=alertdialog]") !== null);
    // The safe button, or the field that must be filled, has the focus: Enter at once harms nothing.
    const first = await focused(page);
    assert.ok(/Keep|Cancel|Token Name|Type the name/.test(first.name), `${item} begins at ${first.name}`);
    await trapped();
    await page.keyboard.press("Escape");
    await noDialog(page);
    await page.waitForFunction((wanted) => document.activeElement.getAttribute("aria-label") === wanted, more, { timeout: 5_000 }).catch(async () => assert.fail(`after ${item} the focus is on ${(await focused(page)).html ?? "nothing"}`));
  }
  // Escape closes the menu and gives the focus back.
  await page.keyboard.press("ArrowDown");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  // It comes back with the next frame.
  await page.waitForFunction((wanted) => document.activeElement.getAttribute("aria-label") === wanted, more, { timeout: 5_000 });
  // And each is done.
  const run = async (item, ...steps) => {
    await openMenu(item);
    for (const step of steps) await step();
  };
  const go = (wanted) => async () => {
    await tabTo(page, wanted);
    await page.keyboard.press("Enter");
  };
  const closed = () => noDialog(page);
  await run("Upgrade Version", go("Upgrade version"), closed);
  await card(page, name).getByText("Latest").waitFor();
  await run("Disable", go("Disable token"), closed);
  await card(page, name).getByText("Disabled", { exact: true }).waitFor();
  await run("Enable", go("Enable token"), closed);
  await run("Reset", async () => {
    await tabTo(page, /No overlap|How long/);
    await page.keyboard.press("ArrowDown");
    await page.getByText("Old and new Auth Token both work until the overlap ends").waitFor();
  }, go("Reset token"), go("I have copied them"), closed);
  await run("Duplicate", go("Duplicate token"), go("I have copied them"), closed);
  await card(page, `Copy of ${name}`).waitFor();
  await run("Delete", async () => {
    await tabTo(page, /^Type the name/);
    await page.keyboard.type(name);
  }, go("Delete for ever"), closed);
  await card(page, name).waitFor({ state: "detached" });
});

flow("the token's tabs, its Update and the dialog of what others changed", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Tabbed");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  await page.getByLabel("Description").waitFor();
  await handsOff(page);
  for (const [tab, at] of [["API Credentials", /tab=credentials/], [/^API Scopes/, /tab=scopes/], ["Activity", /tab=activity/], ["Overview", /tok_[a-z0-9]+$/]]) {
    await tabTo(page, tab, tab === "Overview" ? "Shift+Tab" : "Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(at);
  }
  await tabTo(page, /^Description/);
  await page.keyboard.type("by keyboard");
  await person.changes(brand, token, { addresses: ["127.0.0.0/8"] });
  page.expects(412);
  await tabTo(page, "Update");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.textContent === "Go on editing");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Somebody else changed this token" }).waitFor();
  await tabTo(page, "Keep mine on top");
  await page.keyboard.press("Enter");
  await noDialog(page);
  await tabTo(page, "Update");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.textContent === "Go on editing");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("Everything is saved").waitFor();
  const kept = await person.asks("GET", `${brand.path}/tokens/${token.id}`);
  assert.deepEqual([kept.description, kept.addresses], ["by keyboard", ["127.0.0.0/8"]]);
});

flow("filters, account switcher, language, sign out", async ({ account, operator, page: open }) => {
  const brand = await account("brand", { name: "Keyboard Brand" });
  const person = await brand.member();
  for (const name of ["Alpha", "Beta"]) await person.token(brand, name);
  await operator.asks("GET", "/session");
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, "Beta").waitFor();
  await handsOff(page);
  await page.keyboard.press("/");
  await page.keyboard.type("alpha");
  await card(page, "Beta").waitFor({ state: "detached" });
  await tabTo(page, /Created On$/);
  await page.keyboard.press("ArrowDown");
  await page.getByRole("listbox").waitFor();
  await page.keyboard.type("Last 7");
  await page.keyboard.press("Enter");
  await page.waitForURL(/created=last_7_days/);
  await tabTo(page, "All");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForURL(/state=enabled/);
  await card(page, "Alpha").waitFor();
  await tabTo(page, "Clear All");
  await page.keyboard.press("Enter");
  await card(page, "Beta").waitFor();
  await tabTo(page, /^Language/, "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "创建访问令牌" }).waitFor();
  await tabTo(page, /^用户菜单/, "Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/sign-in*");
  assert.equal((await person.call("GET", "/session")).status, 401);
});
