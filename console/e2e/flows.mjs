// What people do in the console, in Debian's Chromium against the real program with nginx in front of a real API: each
// flow on its own, none relying on another. `--pictures` writes the book's screenshots; nothing else is written.
import assert from "node:assert/strict";
import { demonstration } from "./demonstration.mjs";
import { takePictures } from "./pictures.mjs";
import { WIDTH_LEAST, clean, comes, fits, opened } from "./seat.mjs";

const ALL_MS = 230_000;
const FIRST_LOAD_BYTES = 280 * 1024;
const NAME = "Storefront conversions";

if (process.argv.includes("--pictures")) await takePictures();

const demo = await demonstration();
const seats = await opened(demo);
const brand = await seats.signedIn("brand-administrator");
let passed = 0;
let failed = 0;
const late = setTimeout(() => {
  console.log(`not ok: all of it takes longer than ${ALL_MS / 1000} s`);
  process.exit(1);
}, ALL_MS);

/** Runs one flow on a page of its own; what the browser complained about fails it. */
async function flow(what, seat, run, options = {}) {
  const start = Date.now();
  const page = await seat.page(options);
  try {
    await run(page);
    assert.deepEqual(page.complaints, [], "the browser complained");
    passed += 1;
    console.log(`ok ${what} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`not ok: ${what} at ${page.url()}\n${error.stack}\n${page.complaints.join("\n")}`);
    console.log((await page.locator("body").innerText().catch(() => "")).slice(0, 2000));
  } finally {
    await page.context().close();
  }
}

const card = (page, name) => page.getByRole("article", { name, exact: true });
const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
const menu = async (page, of, item) => {
  await page.getByRole("button", { name: `More: ${of}`, exact: true }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
};
const noDialog = (page) => page.getByRole("dialog").or(page.getByRole("alertdialog")).first().waitFor({ state: "detached" });
const inForce = (page, text) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
/** The values shown once: the SID and the Auth Token. */
const shownOnce = async (page) => {
  const sid = await page.getByText(/^[A-Z]{2}[0-9A-Z]{26}$/).first().innerText();
  const secret = await page.getByText(/^[a-z][a-z0-9]{1,14}_[0-9A-Za-z]{38}$/).first().innerText();
  return { sid, secret };
};

await flow("signing in: a wrong password is explained, the right one leads to the tokens", seats.nobody, async (page) => {
  await page.goto("/");
  await page.waitForURL("**/sign-in");
  await page.getByLabel("E-mail address").fill(demo.email("brand-administrator"));
  await page.getByLabel("Password").fill("not the password");
  page.expects(401);
  await press(page, "Sign in");
  await page.getByText("E-mail address and password do not fit together").waitFor();
  await page.getByLabel("Password").fill(demo.password("brand-administrator"));
  await press(page, "Sign in");
  await page.getByRole("article").first().waitFor();
  await page.getByRole("link", { name: "Create access token" }).waitFor();
});

await flow("the first load is small, compressed and our own", brand, async (page) => {
  const answers = [];
  page.on("response", (answer) => answers.push(answer));
  await page.goto(brand.tokens);
  await page.getByRole("article").first().waitFor();
  await page.waitForLoadState("networkidle");
  let bytes = 0;
  for (const answer of answers) {
    assert.ok(answer.url().startsWith(demo.url), answer.url());
    const { pathname } = new URL(answer.url());
    if (/\.(js|css)$/.test(pathname)) assert.equal(answer.headers()["content-encoding"], "br", pathname);
    if (!pathname.startsWith("/api/")) bytes += (await answer.request().sizes()).responseBodySize;
  }
  console.log(`   the first load is ${Math.ceil(bytes / 1024)} kB of at most ${FIRST_LOAD_BYTES / 1024} kB`);
  assert.ok(bytes > 50_000 && bytes <= FIRST_LOAD_BYTES, `${bytes} bytes`);
});

await flow("filters live in the address: alone, together, after a reload, cleared", brand, async (page) => {
  const name = "Filter me";
  await page.goto(brand.tokens);
  await page.token(name);
  await page.getByLabel("Search by Name").fill("filter m");
  await page.waitForURL(/[?&]q=filter/);
  await card(page, name).waitFor();
  await page.waitForFunction(() => document.querySelectorAll("article").length === 1);
  await page.getByRole("radio", { name: "Disabled" }).click();
  await page.waitForURL(/state=disabled/);
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
  assert.equal(await page.getByLabel("Search by Name").inputValue(), "filter m");
  await page.getByRole("button", { name: "Clear All" }).first().click();
  await page.waitForFunction(() => document.querySelectorAll("article").length > 1 && window.location.search === "");
  await page.getByRole("button", { name: "Created On" }).click();
  await page.getByRole("option", { name: "More than 30 days" }).click();
  await page.waitForURL(/created=more_than_30_days/);
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
});

await flow("the wizard, by keyboard: four steps, credentials shown once, and they work", brand, async (page) => {
  await page.goto(`${brand.tokens}/new`);
  // Every step begins with the focus on its heading, where a screen reader starts to read.
  const arrive = (heading) => page.locator("h1:focus", { hasText: heading }).waitFor();
  const forward = (button) => page.getByRole("button", { name: button, exact: true }).press("Enter");
  await arrive("What is the token for?");
  await page.getByLabel("Token Name").fill(NAME);
  await clean(page, "the wizard's first step");
  await forward("Next");
  await arrive("Who answers for it?");
  await page.getByLabel("Developer e-mail addresses").fill("developer@demo.example");
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: "developer@demo.example" }).waitFor();
  await forward("Back");
  await arrive("What is the token for?");
  assert.equal(await page.getByLabel("Token Name").inputValue(), NAME);
  await forward("Next");
  await arrive("Who answers for it?");
  await forward("Next");
  await arrive("What may this token do?");
  await forward("All reads");
  await clean(page, "the wizard's scopes");
  await forward("Next");
  await arrive("Look it over");
  await forward("Create");
  await arrive("Copy the credentials");
  await clean(page, "the new credentials");
  const { sid, secret } = await shownOnce(page);
  await press(page, "Copy Auth Token");
  await comes(page, (wanted) => navigator.clipboard.readText().then((text) => text === wanted), secret);
  assert.equal(await demo.ask(sid, secret), 200);
  await page.getByRole("link", { name: "Back to the tokens" }).click();
  await card(page, NAME).waitFor();
  assert.ok(!(await page.content()).includes(secret), "the secret is gone from the page");
});

await flow("the token page: reveal, hide, and masked again when the page is left", brand, async (page) => {
  await page.goto(brand.tokens);
  const token = await page.token("Reveal me");
  await page.goto(`${brand.tokens}/${token.id}`);
  await page.getByRole("link", { name: "API Credentials" }).click();
  await page.waitForURL(/tab=credentials/);
  const secret = page.getByText(token.secret, { exact: true });
  assert.equal(await secret.count(), 0);
  for (const hide of [() => press(page, "Hide Auth Token"), () => page.evaluate(() => window.dispatchEvent(new Event("pagehide")))]) {
    await press(page, "Reveal Auth Token");
    await secret.waitFor();
    await hide();
    await secret.waitFor({ state: "detached" });
  }
  await page.getByRole("link", { name: "Activity", exact: true }).click();
  await page.getByText("Auth Token revealed").first().waitFor();
  await page.goBack();
  await page.waitForURL(/tab=credentials/);
});

await flow("disable: the next request through nginx is refused; enable: it is answered; delete: never again", brand, async (page) => {
  const name = "Switch me off";
  await page.goto(brand.tokens);
  const { sid, secret } = await page.token(name);
  assert.equal(await demo.ask(sid, secret), 200);
  await page.reload();
  await menu(page, name, "Disable");
  await page.getByRole("alertdialog").getByText("What stops when you confirm").waitFor();
  await clean(page, "confirming to disable");
  await press(page, "Disable token");
  await inForce(page, "is disabled");
  assert.equal(await demo.ask(sid, secret), 403);
  await noDialog(page);
  await card(page, name).getByText("Disabled", { exact: true }).waitFor();
  await menu(page, name, "Enable");
  await press(page, "Enable token");
  await inForce(page, "is enabled");
  assert.equal(await demo.ask(sid, secret), 200);
  await noDialog(page);
  await card(page, name).getByRole("link", { name }).click();
  await page.waitForURL(/tokens\/tok_/);
  await press(page, "Delete");
  const last = page.getByRole("button", { name: "Delete for ever" });
  await page.getByLabel(/Type the name/).fill("Switch me");
  assert.ok(await last.isDisabled());
  await page.getByLabel(/Type the name/).fill(name);
  // The page may ask once more for what was just deleted.
  page.expects(404);
  await last.click();
  await page.waitForURL((at) => at.pathname === brand.tokens);
  assert.equal(await demo.ask(sid, secret), 401);
  await page.getByRole("article").first().waitFor();
  await card(page, name).waitFor({ state: "detached" });
});

await flow("reset with an overlap, duplicate", brand, async (page) => {
  const name = "Reset me";
  await page.goto(brand.tokens);
  const { sid, secret } = await page.token(name);
  await page.reload();
  await menu(page, name, "Reset");
  await page.getByText("24 hours").click();
  await press(page, "Reset token");
  await press(page, "Copy Auth Token");
  const fresh = await page.getByRole("dialog").getByText(/^[a-z][a-z0-9]{1,14}_[0-9A-Za-z]{38}$/).innerText();
  assert.notEqual(fresh, secret);
  assert.deepEqual([await demo.ask(sid, secret), await demo.ask(sid, fresh)], [200, 200]);
  await press(page, "I have copied them");
  await card(page, name).getByText(/The old secret works until/).waitFor();
  await menu(page, name, "Duplicate");
  await press(page, "Duplicate token");
  await page.getByRole("button", { name: "I have copied them" }).waitFor();
  const copy = await shownOnce(page);
  assert.notEqual(copy.sid, sid);
  assert.equal(await demo.ask(copy.sid, copy.secret), 200);
  await press(page, "I have copied them");
  await card(page, `Copy of ${name}`).waitFor();
});

await flow("two people edit one token: nothing is lost; unsaved changes ask before leaving", brand, async (page) => {
  await page.goto(brand.tokens);
  const token = await page.token("Edit me");
  await page.goto(`${brand.tokens}/${token.id}`);
  await page.getByLabel("Description").fill("mine");
  await page.changes(token, { addresses: ["127.0.0.0/8"] });
  const update = async () => {
    await press(page, "Update");
    await page.getByRole("dialog").getByRole("button", { name: "Update", exact: true }).click();
  };
  page.expects(412);
  await update();
  await page.getByRole("heading", { name: "Somebody else changed this token" }).waitFor();
  await press(page, "Keep mine on top");
  await noDialog(page);
  assert.equal(await page.getByLabel("Allowed addresses").inputValue(), "127.0.0.0/8");
  assert.equal(await page.getByLabel("Description").inputValue(), "mine");
  await page.getByRole("link", { name: "Countersign", exact: true }).click();
  await page.getByRole("heading", { name: "Leave without saving?" }).waitFor();
  await press(page, "Stay here");
  await noDialog(page);
  await update();
  await page.getByText("Everything is saved").waitFor();
});

await flow("what people type is shown as text, and the page's policy refuses inline scripts", brand, async (page) => {
  const name = "<img src=x onerror='document.title=1'><script>document.title=2</script>";
  await page.goto(brand.tokens);
  const token = await page.token(name, { description: `{{constructor}} ${name}` });
  await page.reload();
  await card(page, name).getByText(`{{constructor}} ${name}`).waitFor();
  await page.goto(`${brand.tokens}/${token.id}`);
  await page.getByRole("heading", { level: 1, name }).waitFor();
  assert.deepEqual(page.complaints, []);
  assert.equal(await page.locator("main img, main script").count(), 0);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'ran'";
    document.body.append(script);
  });
  assert.notEqual(await page.title(), "ran");
  // The proof that a refused policy is noticed at all.
  const refusals = page.complaints.splice(0);
  assert.equal(refusals.length, 1);
  assert.match(refusals[0], /Content Security Policy/);
});

const agency = await seats.signedIn("agency-administrator");
await flow("legacy: enable, the card, both resets, disable, delete, and the button is back", agency, async (page) => {
  const legacy = "Legacy Account Tokens";
  await page.goto(agency.tokens);
  await press(page, "Enable Legacy Tokens");
  await page.getByRole("dialog").getByRole("button", { name: "Enable Legacy Tokens" }).click();
  await press(page, "I have copied them");
  await card(page, legacy).waitFor();
  await page.getByRole("button", { name: "Enable Legacy Tokens" }).waitFor({ state: "detached" });
  for (const half of ["Reset (Read/Write)", "Reset (Read-Only)"]) {
    await menu(page, legacy, half);
    await press(page, "Reset token");
    await press(page, "I have copied them");
    await noDialog(page);
  }
  await menu(page, legacy, "Disable");
  await press(page, "Disable both");
  await noDialog(page);
  await card(page, legacy).getByText("Disabled", { exact: true }).waitFor();
  await menu(page, legacy, "Delete");
  await press(page, "Delete both");
  await noDialog(page);
  await page.getByRole("button", { name: "Enable Legacy Tokens" }).waitFor();
});

const partner = await seats.signedIn("partner-administrator");
await flow("the other language, and back", partner, async (page) => {
  await page.goto(partner.tokens);
  await page.getByRole("article").first().waitFor();
  await press(page, "Language: English");
  await page.getByRole("menuitemradio", { name: "简体中文" }).click();
  await page.getByRole("link", { name: "创建访问令牌" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  assert.doesNotMatch(await page.locator("main").innerText(), /Create access token|Last used|Clear All/);
  await press(page, "语言：简体中文");
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("link", { name: "Create access token" }).waitFor();
});

const analyst = await seats.signedIn("brand-analyst");
await flow("a role that may not see tokens is told which permission is missing", analyst, async (page) => {
  page.expects(403);
  for (const at of [analyst.tokens, `${analyst.tokens}/new`]) {
    await page.goto(at);
    await page.getByRole("heading", { name: "Your role does not include API tokens" }).waitFor();
    await page.getByText("The permission “See tokens” is missing.").waitFor();
    assert.equal(await page.getByRole("article").count(), 0);
  }
});

const operator = await seats.signedIn("operator");
await flow("the operator's pages open", operator, async (page) => {
  await page.goto("/operator/accounts");
  await page.getByText("Demo Agency").first().waitFor();
  for (const [name, text] of [["People", "brand-analyst@demo.example"], ["Catalog", "TOML"], ["Gateways", "From anywhere"], ["Platform credentials", "Create platform credential"], ["Audit trail", "Account created"]]) {
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByText(text).first().waitFor();
    await fits(page, name);
  }
});

for (const theme of ["light", "dark"]) {
  await flow(`no barrier by axe-core, nothing wider than ${WIDTH_LEAST} px: sign-in, ${theme}`, seats.nobody, async (page) => {
    await page.goto("/sign-in");
    await page.getByLabel("E-mail address").waitFor();
    await clean(page, "sign-in");
    await fits(page, "sign-in");
  }, { theme });
  await flow(`no barrier by axe-core, nothing wider than ${WIDTH_LEAST} px: tokens, wizard, token page, ${theme}`, brand, async (page) => {
    await page.goto(brand.tokens);
    const token = await page.token(`A token with a name as long as a whole sentence about it, ${theme}`);
    await page.reload();
    await card(page, token.name).waitFor();
    await clean(page, "tokens");
    await fits(page, "tokens");
    await page.goto(`${brand.tokens}/new`);
    await page.getByLabel("Token Name").fill("Never made");
    for (const heading of ["What is the token for?", "Who answers for it?", "What may this token do?", "Look it over"]) {
      await page.getByRole("heading", { name: heading }).waitFor();
      await clean(page, heading);
      await fits(page, heading);
      if (heading !== "Look it over") await press(page, "Next");
    }
    for (const [tab, text] of [["overview", "Description"], ["credentials", "Reset Token"], ["scopes", "Presets"], ["activity", "Token created"]]) {
      await page.open(`${brand.tokens}/${token.id}?tab=${tab}`);
      await page.getByText(text).first().waitFor();
      await clean(page, tab);
      await fits(page, tab);
    }
  }, { theme });
}

clearTimeout(late);
await seats.close();
await demo.end();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
