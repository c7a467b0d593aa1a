// The book's screenshots: six pages of the console at 1440 px, from a demonstration of their own with tokens worth
// looking at. They are pictures for people; no test compares them.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { demonstration } from "./demonstration.mjs";
import { comes, opened } from "./seat.mjs";

const folder = fileURLToPath(new URL("../../docs/book/images/", import.meta.url));
const LOOK = { width: 1440, height: 800 };

/** Tokens as a brand has them: two in use, one switched off. */
async function furnish(page, demo) {
  const { kinds } = await page.asks("GET", "/catalog");
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
    const token = await page.token(more.name, more);
    if (off) await page.asks("POST", `${page.account}/tokens/${token.id}/disable`, {});
    else await demo.ask(token.sid, token.secret);
    tokens.push(token);
  }
  // Uses are written together, every few seconds.
  const used = (path) => fetch(path).then((answer) => answer.json()).then((token) => Boolean(token.last_used_at));
  for (const token of tokens.slice(0, 2)) await comes(page, used, `/api/v1${page.account}/tokens/${token.id}`);
  return tokens;
}

async function empty(page) {
  const { items } = await page.asks("GET", `${page.account}/tokens`);
  for (const token of items) {
    const { edit } = await page.asks("GET", `${page.account}/tokens/${token.id}`);
    await page.asks("DELETE", `${page.account}/tokens/${token.id}?confirm_name=${encodeURIComponent(token.name)}`, undefined, { "If-Match": `"${edit}"` });
  }
}

export async function takePictures() {
  await mkdir(folder, { recursive: true });
  const demo = await demonstration();
  const seats = await opened(demo);
  const take = async (page, name) => {
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: `${folder}console-${name}.png`, animations: "disabled", caret: "hide" });
    console.log(`   docs/book/images/console-${name}.png`);
  };

  const brand = await seats.signedIn("brand-administrator");
  const page = await brand.page(LOOK);
  await page.goto(brand.tokens);
  const [first] = await furnish(page, demo);
  await page.reload();
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

  const agency = await seats.signedIn("agency-administrator");
  const bare = await agency.page(LOOK);
  await bare.goto(agency.tokens);
  await empty(bare);
  await bare.reload();
  await bare.getByRole("heading", { name: "Give your first integration a token of its own" }).waitFor();
  await take(bare, "empty");

  await seats.close();
  await demo.end();
}
