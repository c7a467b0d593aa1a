// What holds on every page in every state, in both languages, with names as long as they may be: axe-core finds no
// violation in either theme, and nothing is wider than the narrowest screen.
import assert from "node:assert/strict";
import { newInstallation } from "../demonstration.mjs";
import { flow } from "../flow.mjs";
import { words } from "../hands.mjs";
import { furnish, places, routes, visit } from "../places.mjs";
import { barriers, tooWide } from "../seat.mjs";

const LANGUAGES = { en: "en-US", "zh-CN": "zh-CN" };
const GROUPS = { doors: 1, list: 5, wizard: 3, token: 4, people: 3, operator: 4, telling: 4, platform: 3 };

const VISIT_MS = 25_000;
const sets = {};
/** Accounts with long names, made once for each language. */
const furnished = (room, language) => (sets[language] ??= furnish(room, language));

/** What is wrong at a place: every rule in the light theme, the colours again in the dark one, and the least width. */
async function check(view) {
  const light = await barriers(view);
  await view.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  const dark = await barriers(view, ["color-contrast", "link-in-text-block"]);
  await view.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  return [...light, ...dark.map((row) => `dark: ${row}`), ...(await tooWide(view)).map((row) => `too wide: ${row}`)];
}

for (const [language, locale] of Object.entries(LANGUAGES)) {
  for (const [group, long] of Object.entries(GROUPS)) {
    flow(`${group}, ${locale}: no barrier in either theme, nothing too wide`, async (room) => {
      const set = await furnished(room, language);
      const views = new Map();
      // What is wrong, and where.
      const wrong = new Map();
      const note = (what, where) => wrong.set(what, [...(wrong.get(what) ?? []), where]);
      const there = places(set, words(language))[group];
      for (const place of there) {
        if (!views.has(place.who)) views.set(place.who, await room.page(place.who ?? undefined, { language: locale }));
        const view = views.get(place.who);
        view.context().setDefaultTimeout(VISIT_MS);
        try {
          await visit(view, place);
        } catch (error) {
          note(`cannot be visited: ${error.message.slice(0, 300)} ${(await view.locator("body").innerText()).slice(0, 300)}`, place.name);
          continue;
        }
        for (const what of [...(await check(view)), ...view.complaints.splice(0)]) note(what, place.name);
      }
      room.note(`${there.length} places`);
      assert.equal(wrong.size, 0, [...wrong].map(([what, where]) => `${what}\n      at ${where.join(", ")}`).join("\n   "));
    }, { long });
  }
}

flow("set-up, in both languages: no barrier in either theme, nothing too wide", async ({ page: open }) => {
  const fresh = await newInstallation();
  try {
    for (const [language, locale] of Object.entries(LANGUAGES)) {
      const t = words(language);
      const view = await open(undefined, { url: fresh.url, language: locale });
      for (const [at, text] of [["/sign-in", t("bootstrap.go")], ["/bootstrap", t("bootstrap.lead")]]) {
        await view.open(at);
        await view.getByText(text).first().waitFor();
        assert.deepEqual(await check(view), []);
      }
    }
  } finally {
    await fresh.end();
  }
});

flow("no page of the router is left out", async (room) => {
  const set = await furnished(room, "en");
  const visited = Object.values(places(set, words("en"))).flat().map((place) => new URL(place.at, room.demo.url).pathname.split("/").at(-1));
  const left = routes().filter((last) => !visited.includes(last));
  assert.deepEqual(left, []);
});

flow("both checks find what they are for", async ({ account, page: open }) => {
  const brand = await account();
  const page = await open(await brand.member());
  await page.goto(brand.tokens);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.evaluate(() => {
    const wide = document.createElement("div");
    wide.className = "deliberately-wide";
    wide.style.setProperty("width", "500px");
    wide.style.setProperty("height", "10px");
    document.getElementById("main").append(wide);
  });
  assert.match((await tooWide(page)).join(), /deliberately-wide/);
  await page.evaluate(() => {
    document.querySelector(".deliberately-wide").remove();
    document.getElementById("main").append(document.createElement("button"));
  });
  assert.match((await barriers(page)).join(), /button-name/);
});
