// Both languages and all three kinds of accounts: where the page is, and what its fields are called.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { dialog, noDialog, press } from "../hands.mjs";

// The field names people know, in both languages, and the tab or page each is on.
const NAMES = {
  list: [["Create access token", "创建访问令牌"], ["Enable Legacy Tokens", "启用旧版令牌"], ["Clear All", "全部清除"], ["Search by Name", "按名称搜索"], ["Created On", "创建于"], ["State", "状态"], ["API Version", "API 版本"], ["API Scopes", "API 范围"], ["Primary Contact", "主要联系人"], ["Enabled", "已启用"], ["Disabled", "已禁用"]],
  menu: [["Duplicate", "复制副本"], ["Reset", "重置"], ["Upgrade Version", "升级版本"], ["Disable", "禁用"], ["Delete", "删除"]],
  legacy: [["Reset (Read/Write)", "重置（读/写）"], ["Reset (Read-Only)", "重置（只读）"], ["Duplicate", "复制副本"], ["Disable", "禁用"], ["Delete", "删除"]],
  periods: [["Last 7 days", "最近 7 天"], ["Last 30 days", "最近 30 天"], ["More than 30 days", "超过 30 天"]],
  token: [["Overview", "概览"], ["API Credentials", "API 凭据"], ["API Scopes", "API 范围"], ["Token Name", "令牌名称"], ["Description", "描述"], ["Update", "更新"]],
  credentials: [["Account SID", "帐户 SID"], ["Auth Token", "认证令牌"], ["Reset Token", "重置令牌"], ["Primary Contact", "主要联系人"], ["Copy", "复制"]],
  wizard: [["Setup", "设置"], ["Contact Information", "联系信息"], ["API Scopes", "API 范围"], ["Create", "创建"], ["Next", "下一步"]],
};
const LANGUAGES = { "en-US": 0, "zh-CN": 1 };
const PLACES = {
  brand: { path: [["Settings", "设置"], ["Account", "帐户"], ["Technical", "技术"]], page: ["API", "API"], left: false },
  partner: { path: [["Settings", "设置"], ["Technical", "技术"]], page: ["API", "API"], left: false },
  agency: { path: [["Settings", "设置"], ["Account", "帐户"], ["Technical", "技术"]], page: ["Platform REST Web Services", "平台 REST Web 服务"], left: true },
};
const USER = ["User menu", "用户菜单"];
const MENU = ["Menu", "菜单"];
const PROFILE = ["User Profile", "用户资料"];

/** Each of the names stands on the page as a text of its own or as the name of a control. */
async function named(page, names, index) {
  for (const name of names) {
    const text = name[index];
    const exact = { exact: true };
    await page.getByText(text, exact).or(page.getByLabel(text, exact)).or(page.getByRole("button", { name: text, ...exact })).or(page.getByRole("link", { name: new RegExp(`^${text} ?\\d+$`) })).or(page.getByRole("group", { name: text })).or(page.getByRole("radiogroup", { name: text })).or(page.getByText(`${text}…`, exact)).first().waitFor({ state: "attached", timeout: 8_000 }).catch(() => assert.fail(`“${text}” is not on ${page.url()}`));
  }
}

for (const [kind, place] of Object.entries(PLACES)) {
  for (const [language, index] of Object.entries(LANGUAGES)) {
    flow(`${kind}, ${language}: the way to the page and the names on it`, async ({ account, page: open }) => {
      const own = await account(kind);
      const person = await own.member();
      const token = await person.token(own, "Named", { description: "As the product says" });
      const page = await open(person, { language });
      await page.goto("/");
      await page.waitForURL(`**${own.tokens}`);
      await page.getByRole("article", { name: "Named" }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), language === "en-US" ? "en" : "zh-CN");
      // The way: the user menu at the top right, or the menu on the left.
      if (place.left) {
        const nav = page.getByRole("navigation", { name: MENU[index] });
        assert.equal(await nav.getByRole("heading").first().innerText(), place.path.map((step) => step[index]).join(" › "));
        await nav.getByRole("link", { name: place.page[index] }).click();
        await page.setViewportSize({ width: 700, height: 900 });
        await page.getByRole("button", { name: MENU[index], exact: true }).click();
        await page.getByRole("menuitem", { name: place.page[index] }).click();
        await page.setViewportSize({ width: 1280, height: 900 });
      } else {
        assert.equal(await page.getByRole("navigation", { name: MENU[index] }).count(), 0);
        await page.getByRole("button", { name: new RegExp(`^${USER[index]}`) }).click();
        await page.getByRole("menuitem", { name: PROFILE[index] }).waitFor();
        await page.getByText(place.path.map((step) => step[index]).join(" › "), { exact: true }).waitFor();
        await page.getByRole("menuitem", { name: place.page[index], exact: true }).click();
      }
      await page.waitForURL(`**${own.tokens}`);
      const crumbs = await page.locator("nav.crumbs").innerText();
      for (const step of [...place.path, place.page]) assert.ok(crumbs.includes(step[index]), crumbs);
      await named(page, NAMES.list, index);
      await page.getByRole("button", { name: new RegExp(`${NAMES.list[4][index]}$`) }).click();
      for (const name of NAMES.periods) await page.getByRole("option", { name: name[index], exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /Named$/ }).first().click();
      for (const name of NAMES.menu) await page.getByRole("menuitem", { name: new RegExp(`^${name[index]}`) }).first().waitFor();
      await page.keyboard.press("Escape");
      await press(page, NAMES.list[1][index]);
      await dialog(page).getByRole("button", { name: NAMES.list[1][index] }).click();
      await dialog(page).getByRole("button").last().click();
      await noDialog(page);
      const legacy = ["Legacy Account Tokens", "旧版帐户令牌"][index];
      await page.getByRole("article", { name: legacy, exact: true }).getByRole("button", { name: new RegExp(legacy) }).click();
      for (const name of NAMES.legacy) await page.getByRole("menuitem", { name: name[index], exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await page.turn(`${own.tokens}/${token.id}`);
      await named(page, NAMES.token, index);
      await page.turn(`${own.tokens}/${token.id}?tab=credentials`);
      await named(page, NAMES.credentials, index);
      await page.turn(`${own.tokens}/new`);
      await named(page, NAMES.wizard, index);
      const main = await page.locator("main").innerText();
      if (index === 1) assert.doesNotMatch(main, /Next|Cancel|Optional|Version \d/);
      else assert.doesNotMatch(main, /[\u4e00-\u9fff]/);
    });
  }
}

flow("the language is chosen from the browser, switched at once, and kept", async ({ account, page: open }) => {
  const own = await account("partner");
  const person = await own.member();
  await person.token(own, "Kept");
  const page = await open(person);
  await page.goto(own.tokens);
  await press(page, "Language: English");
  await page.getByRole("menuitemradio", { name: "简体中文" }).click();
  await page.getByRole("link", { name: "创建访问令牌" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  assert.doesNotMatch(await page.locator("main").innerText(), /Create access token|Last used|Clear All/);
  await page.reload();
  await page.getByRole("link", { name: "创建访问令牌" }).waitFor();
  const end = Date.now() + 10_000;
  while ((await person.asks("GET", "/profile")).language !== "zh-CN") assert.ok(Date.now() < end, "the profile knows it");
  await press(page, "语言：简体中文");
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("link", { name: "Create access token" }).waitFor();
});

flow("the theme: the system's, light or dark, switched at once and kept", async ({ account, page: open }) => {
  const own = await account();
  const person = await own.member();
  const page = await open(person, { theme: "dark" });
  await page.goto("/profile");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.getByRole("button", { name: "System", exact: true }).first().waitFor();
  const dark = await ground();
  await page.getByRole("button", { name: "Light", exact: true }).first().click();
  await page.waitForFunction((before) => getComputedStyle(document.documentElement).backgroundColor !== before, dark);
  const light = await ground();
  await page.reload();
  await page.getByRole("button", { name: "Light", exact: true }).first().waitFor();
  assert.equal(await ground(), light);
  await page.getByRole("button", { name: "Dark", exact: true }).first().click();
  await page.waitForFunction((wanted) => getComputedStyle(document.documentElement).backgroundColor === wanted, dark);
});
