// What hands do again and again on the console's pages, by the words a person reads.
import { readFileSync } from "node:fs";
import { IntlMessageFormat } from "intl-messageformat";
import ts from "typescript";

const SECRET = /^[a-z][a-z0-9]{1,14}_[0-9A-Za-z]{38}$/;

export const card = (page, name) => page.getByRole("article", { name, exact: true });
export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const press = (page, name) => button(page, name).click();
export const dialog = (page) => page.getByRole("dialog").or(page.getByRole("alertdialog")).last();
export const noDialog = (page) => dialog(page).waitFor({ state: "detached" });
export const heading = (page, name) => page.getByRole("heading", { name, exact: true }).first().waitFor();
export const inForce = (page, text) => page.getByRole("status").filter({ hasText: text }).first().waitFor();

/** An item of an open menu; one may say numbers behind its name, such as "12 → 14". */
export const item = (page, name) => page.getByRole("menuitem", { name: new RegExp(`^${name.replace(/[()/]/g, "\\$&")}( ?\\d.*)?$`) });

/** Opens the menu of a card and takes an item. */
export async function menu(page, of, name) {
  await press(page, `More: ${of}`);
  await item(page, name).click();
}

/** The values shown once: the SID and the Auth Token. */
export async function shownOnce(page) {
  const sid = await page.getByText(/^[A-Z]{2}[0-9A-Z]{26}$/).first().innerText();
  const secret = await page.getByText(SECRET).first().innerText();
  return { sid, secret };
}

async function texts(file, name) {
  const source = readFileSync(new URL(`../src/i18n/${file}.ts`, import.meta.url), "utf8");
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext } });
  return (await import(`data:text/javascript;base64,${Buffer.from(outputText).toString("base64")}`))[name];
}
const CATALOGS = { en: await texts("en", "en"), "zh-CN": await texts("zh-CN", "zhCN") };

/** The words of a language, by the keys of the console's catalogs: for flows that run in both. */
export const words = (language) => (key, values) => {
  const text = CATALOGS[language][key];
  if (text === undefined) throw new Error(`the catalogs have no ${key}`);
  return new IntlMessageFormat(text, language).format(values);
};
