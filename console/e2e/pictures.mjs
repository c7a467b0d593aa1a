// The book's screenshots: six pages of the console at 1440 px, from a demonstration of their own with tokens worth
// looking at. They are pictures for people; no test compares them.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { demonstration } from "./demonstration.mjs";
import { platform, signIn } from "./platform.mjs";
import { opened } from "./seat.mjs";

const folder = fileURLToPath(new URL("../../docs/book/images/", import.meta.url));
const LOOK = { width: 1440, height: 800 };

/** Tokens as a brand has them: two in use, one switched off. */
async function furnish(person, brand, demo) {
  const { kinds } = await person.asks("GET", "/catalog");
  const presets = kinds.find((kind) => kind.id === "brand").presets;
  const [reads] = presets;
  const everything = presets.at(-1);
  const wanted = [
    { name: "Storefront conversions", description: "Sends orders from the shop as they are paid.", scopes: everything.scopes },
    { name: "Finance export", description: "Nightly, into the ledger.", scopes: reads.scopes },
    { name: "Old reporting job", description: "Replaced by the finance export.", scopes: reads.scopes.slice(0, 3), off: true },
  ];
  const tokens = [];
  for (const { off, ...more } of wanted) {
    const token = await person.token(brand, more.name, more);
    if (off) await person.asks("POST", `${brand.path}/tokens/${token.id}/disable`, {});
    else await demo.ask(token.sid, token.secret);
    tokens.push(token);
  }
  // Uses are written together, every few seconds.
  const end = Date.now() + 30_000;
  for (const token of tokens.slice(0, 2)) {
    while (!(await person.asks("GET", `${brand.path}/tokens/${token.id}`)).last_used_at) assert.ok(Date.now() < end, "the use is never known");
  }
  return tokens;
}

export async function takePictures() {
  await mkdir(folder, { recursive: true });
  const demo = await demonstration();
  const browser = await opened();
  const operator = await signIn(demo.url, demo.email("operator"), demo.password("operator"));
  const { account } = platform(demo.url, operator);
  const take = async (page, name) => {
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `${folder}console-${name}.png`, animations: "disabled", caret: "hide" });
    console.log(`   docs/book/images/console-${name}.png`);
  };

  const brand = await account("brand", { name: "Demo Brand" });
  const person = await brand.member("account_administrator", { name: "Account Administrator" });
  const page = await browser.page(demo.url, person, LOOK);
  const [first] = await furnish(person, brand, demo);
  await page.goto(brand.tokens);
  await page.getByRole("article", { name: first.name }).waitFor();
  await take(page, "tokens");

  await page.goto(`${brand.tokens}?q=${encodeURIComponent(first.name)}`);
  await page.getByRole("button", { name: `More: ${first.name}`, exact: true }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await page.getByRole("alertdialog").getByText("What stops when you confirm").waitFor();
  await take(page, "confirm-disable");

  await page.open(`${brand.tokens}/${first.id}?tab=credentials`);
  await page.getByRole("button", { name: "Reveal Auth Token" }).waitFor();
  await take(page, "token-credentials");

  await page.open(`${brand.tokens}/new`);
  await page.getByLabel("Token Name").fill("Warehouse returns");
  for (const heading of ["Who answers for it?", "What may this token do?"]) {
    await page.getByRole("button", { name: "Next", exact: true }).click();
    await page.getByRole("heading", { name: heading }).waitFor();
  }
  await page.getByRole("group", { name: "Presets" }).getByRole("button").first().click();
  await page.getByRole("heading", { name: "What may this token do?" }).focus();
  await take(page, "create-scopes");

  await page.open(brand.tokens);
  await page.getByRole("button", { name: "Language: English" }).click();
  await page.getByRole("menuitemradio", { name: "简体中文" }).click();
  await page.getByRole("link", { name: "创建访问令牌" }).waitFor();
  await page.getByRole("menu").waitFor({ state: "detached" });
  await take(page, "tokens-chinese");

  const agency = await account("agency", { name: "Demo Agency" });
  const bare = await browser.page(demo.url, await agency.member("account_administrator", { name: "Account Administrator" }), LOOK);
  await bare.goto(agency.tokens);
  await bare.getByRole("heading", { name: "Give your first integration a token of its own" }).waitFor();
  await take(bare, "empty");

  await browser.close();
  await demo.end();
}
