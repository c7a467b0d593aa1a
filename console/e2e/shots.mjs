// Pictures of the pages in both themes and languages and three widths, and what a browser complains about.
// node e2e/shots.mjs FOLDER ONLY?   with SHOTS_PEOPLE="role=email:password …" and a running server at SHOTS_URL.
import { chromium } from "playwright-core";
import { mkdirSync } from "node:fs";

const [folder = "/tmp/shots", only = ""] = process.argv.slice(2);
const url = process.env.SHOTS_URL ?? "http://localhost:25173";
const people = Object.fromEntries((process.env.SHOTS_PEOPLE ?? "").split(/\s+/).filter(Boolean).map((row) => [row.split("=")[0], row.slice(row.indexOf("=") + 1).split(":")]));
const looks = (process.env.SHOTS_LOOKS ?? "1440-light-en").split(",");
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
let bad = 0;
for (const look of looks) {
  const [width, theme, ...rest] = look.split("-");
  const language = rest.join("-");
  for (const [role, [email, password]] of Object.entries(people)) {
    const context = await browser.newContext({ viewport: { width: Number(width), height: 900 }, colorScheme: theme, locale: language, permissions: ["clipboard-read", "clipboard-write"] });
    await context.addInitScript((chosen) => localStorage.setItem("countersign-language", chosen), language);
    const page = await context.newPage();
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && console.log(look, role, message.text().slice(0, 300)));
    page.on("pageerror", (error) => console.log(look, role, "ERROR", error.message.slice(0, 400)));
    const shot = async (name) => {
      if (only && !name.includes(only)) return;
      await page.waitForTimeout(350);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) {
        bad += 1;
        console.log(`OVERFLOW ${wide}px: ${role}-${name} ${look}`);
      }
      await page.screenshot({ path: `${folder}/${role}-${name}-${look}.png`, fullPage: !name.startsWith("dialog") });
    };
    await page.goto(`${url}/sign-in`);
    await page.locator("input[name=email]").waitFor();
    if (role === "brand") await shot("sign-in");
    await page.locator("input[name=email]").fill(email);
    await page.locator("input[name=password]").fill(password);
    await page.locator("button[type=submit]").click();
    await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"), { timeout: 15000 }).catch(async () => { await page.screenshot({ path: `${folder}/failed.png` }); throw new Error("no sign-in"); });
    // The person's own language wins at sign-in; the picture asks for this one.
    await page.evaluate((chosen) => localStorage.setItem("countersign-language", chosen), language);
    await page.reload();
    await page.locator("main").waitFor();
    await page.waitForTimeout(700);
    const at = new URL(page.url()).pathname;
    if (role === "operator") {
      for (const name of ["accounts", "people", "catalog", "gateways", "platform-credentials", "audit"]) {
        await page.goto(`${url}/operator/${name}`);
        await page.waitForTimeout(500);
        await shot(`operator-${name}`);
      }
    } else {
      const base = at.replace(/\/tokens.*/, "");
      await shot("tokens");
      await page.waitForTimeout(300);
      const more = page.locator("article .more button").first();
      if (await more.count()) {
        await more.click();
        await shot("dialog-menu");
        await page.keyboard.press("Escape");
        const link = page.locator("article:not(.legacy-card) a.name").first();
        const href = (await link.count()) ? await link.getAttribute("href") : null;
        if (href) {
          for (const tab of ["overview", "credentials", "scopes", "activity"]) {
            await page.goto(`${url}${href}?tab=${tab}`);
            await page.waitForTimeout(400);
            await shot(`token-${tab}`);
          }
          const off = page.locator("section.bar button").nth(1);
          if (await off.count()) {
            await off.click();
            await shot("dialog-disable");
            await page.keyboard.press("Escape");
          }
        }
      }
      await page.goto(`${url}${base}/tokens/new`);
      await page.waitForTimeout(500);
      if (await page.locator(".bar").count()) {
        await shot("create-1");
        await page.locator(".with input, .card input").first().fill("Storefront conversions");
        for (const step of [2, 3, 4]) {
          await page.locator(".bar .btn.primary").click();
          await page.waitForTimeout(400);
          if (step === 3) await page.locator(".presets button").first().click();
          await shot(`create-${step}`);
        }
      }
      for (const name of ["legacy", "members", "activity"]) {
        await page.evaluate(() => (window.onbeforeunload = null));
        await page.goto(`${url}${base}/${name}`);
        await page.waitForTimeout(400);
        await shot(name);
      }
    }
    await page.goto(`${url}/profile`);
    await page.waitForTimeout(400);
    if (role === "brand") await shot("profile");
    await context.close();
  }
}
await browser.close();
console.log(bad === 0 ? "no overflow" : `${bad} overflow`);
