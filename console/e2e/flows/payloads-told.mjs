// The same payloads in what people are told: announcements, webhooks, and the settings of an account.
import assert from "node:assert/strict";
import { button, dialog, noDialog, press } from "../hands.mjs";
import { LEAST, PAYLOADS, SPARSE, payloads, pieces } from "../payloads.mjs";

// Webhooks an account may have.
const WEBHOOKS = 10;

/** An announcement of which every text is a payload; nothing where it is refused. */
async function announcement(own, index) {
  const [subject, first, second, subject_zh, body_zh] = [0, 1, 2, 3, 4].map((step) => PAYLOADS[(index + step) % PAYLOADS.length]);
  const answer = await own.operator.call("POST", "/announcements", { subject, body: `${first}\n${second}`, subject_zh, body_zh });
  assert.ok(answer.status < 300 || answer.status === 422, JSON.stringify(answer.body));
  return answer.status < 300 ? [{ subject, subject_zh, texts: [first, second, body_zh], id: answer.body.id, edit: answer.body.edit }] : [];
}

payloads("drafts of announcements, in both languages", async (own, note) => {
  const drafts = [];
  for (const index of PAYLOADS.keys()) drafts.push(...(await announcement(own, index)));
  note(`${drafts.length} announcements, ${PAYLOADS.length - drafts.length} refused`);
  assert.ok(drafts.length >= LEAST, `only ${drafts.length} were taken`);
  for (const [language, subject] of [["zh-CN", "subject_zh"], ["en-US", "subject"]]) {
    const page = await own.page(own.operator, { language });
    await page.goto("/operator/announcements");
    const rows = page.locator("main ul.rows > li");
    await rows.first().waitFor();
    for (let count = await rows.count(); count < drafts.length; count = await rows.count()) {
      await page.locator("main button").last().click();
      await page.waitForFunction((before) => document.querySelectorAll("main ul.rows > li").length > before, count);
    }
    await own.shows(page, drafts.map((draft) => draft[subject]), "the list");
    // A draft's page shows the texts of both languages in either.
    if (language !== "en-US") continue;
    await own.walks(page, drafts.map((draft) => [`/operator/announcements/${draft.id}`, [draft.subject, ...draft.texts]]), "a draft");
  }
}, { long: 4 });

payloads("announcements that are sent or deleted", async (own) => {
  // Somebody hears them, or they could not be sent.
  await (await own.account()).member();
  const page = await own.page(own.operator);
  for (let index = 0; index < PAYLOADS.length; index += SPARSE) {
    const [draft] = await announcement(own, index);
    await page.goto(`/operator/announcements/${draft.id}`);
    await press(page, "Delete");
    await own.shows(page, [`“${draft.subject}”`], "deleting a draft");
    await page.keyboard.press("Escape");
    await noDialog(page);
    await own.operator.asks("POST", `/announcements/${draft.id}/send`, undefined, { "if-match": `"${draft.edit}"` });
    await page.goto(`/operator/announcements/${draft.id}`);
    await page.locator("p.letter").first().waitFor();
    await own.shows(page, [draft.subject, draft.subject_zh, ...draft.texts], "what was sent");
  }
}, { long: 2 });

payloads("what webhooks are for", async (own) => {
  const brand = await own.account();
  const person = await brand.member();
  const page = await own.page(person);
  const made = [];
  for (let count = 0; count < WEBHOOKS; count += 1) {
    const url = `${own.webhooks.url}/${count}`;
    made.push((await person.asks("POST", `${brand.path}/webhooks`, { url, description: "", events: [] })).webhook);
  }
  for (const [turn, some] of pieces(PAYLOADS, WEBHOOKS).entries()) {
    for (const [index, description] of some.entries()) {
      const { id, edit } = made[index];
      made[index] = await person.asks("PATCH", `${brand.path}/webhooks/${id}`, { description }, { "if-match": `"${edit}"` });
    }
    await page.goto(`${brand.path}/webhooks`);
    await own.shows(page, some, "webhooks");
    const { url, description } = made[turn % some.length];
    await press(page, `Edit: ${url}`);
    await own.shows(page, [description], "editing a webhook");
    await page.keyboard.press("Escape");
    await noDialog(page);
  }
}, { long: 3 });

payloads("the settings of an account", async (own) => {
  const brand = await own.account();
  const person = await brand.member();
  const page = await own.page(person);
  await page.goto(`${brand.path}/settings`);
  const name = page.getByRole("textbox", { name: "Account name" });
  await own.types(page, name, "an account's name");
  for (const payload of PAYLOADS.filter((_, index) => index % SPARSE === 0)) {
    await name.fill(payload);
    await press(page, "Update");
    // The fields begin anew with what was kept.
    await page.waitForFunction(() => document.querySelector("main .below button")?.disabled);
    await press(page, "Switch API access off");
    await dialog(page).getByText(payload, { exact: true }).waitFor();
    await own.shows(page, [payload], "settings");
    await button(dialog(page), "Cancel").click();
    await noDialog(page);
  }
}, { long: 2 });
