// Two people at one token: nothing is lost. The second to save sees what the first changed, and keeps or drops their own.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { dialog, heading, inForce, noDialog, press } from "../hands.mjs";

const update = async (page) => {
  await press(page, "Update");
  await dialog(page).getByRole("button", { name: "Update", exact: true }).click();
};

/** Two browsers on the page of one token. */
async function two({ account, page: open }) {
  const brand = await account();
  const [first, second] = [await brand.member(), await brand.member()];
  const token = await first.token(brand, "Shared", { description: "before", developer_emails: ["before@demo.example"] });
  const pages = [];
  for (const person of [first, second]) {
    const page = await open(person);
    await page.goto(`${brand.tokens}/${token.id}`);
    await page.getByLabel("Description").waitFor();
    pages.push(page);
  }
  return { pages, kept: () => first.asks("GET", `${brand.path}/tokens/${token.id}`) };
}

flow("merge: theirs and mine, each field by whoever changed it", async (room) => {
  const { pages: [mine, theirs], kept } = await two(room);
  await mine.getByLabel("Description").fill("mine");
  await theirs.getByLabel("Allowed addresses").fill("127.0.0.0/8");
  await theirs.getByLabel("Token Name").fill("Shared by them");
  await update(theirs);
  await inForce(theirs, "Updated.");
  mine.expects(412);
  await update(mine);
  await heading(mine, "Somebody else changed this token");
  const told = dialog(mine);
  await told.getByRole("heading", { name: "What they changed" }).waitFor();
  for (const text of ["127.0.0.0/8", "Shared by them"]) await told.getByText(text, { exact: true }).waitFor();
  await told.getByText("mine", { exact: true }).waitFor();
  await press(mine, "Keep mine on top");
  await noDialog(mine);
  assert.equal(await mine.getByLabel("Allowed addresses").inputValue(), "127.0.0.0/8");
  assert.equal(await mine.getByLabel("Token Name").inputValue(), "Shared by them");
  assert.equal(await mine.getByLabel("Description").inputValue(), "mine");
  await update(mine);
  await mine.getByText("Everything is saved").waitFor();
  const token = await kept();
  assert.deepEqual([token.name, token.description, token.addresses], ["Shared by them", "mine", ["127.0.0.0/8"]]);
});

flow("reload: theirs, and mine is dropped", async (room) => {
  const { pages: [mine, theirs], kept } = await two(room);
  await mine.getByLabel("Description").fill("mine");
  await theirs.getByLabel("Description").fill("theirs");
  await update(theirs);
  await inForce(theirs, "Updated.");
  mine.expects(412);
  await update(mine);
  await press(mine, "Take theirs, drop mine");
  await noDialog(mine);
  assert.equal(await mine.getByLabel("Description").inputValue(), "theirs");
  await mine.getByText("Everything is saved").waitFor();
  assert.equal((await kept()).description, "theirs");
});

flow("the same field: both are shown, and what one keeps wins", async (room) => {
  const { pages: [mine, theirs], kept } = await two(room);
  await mine.getByLabel("Description").fill("mine");
  await theirs.getByLabel("Description").fill("theirs");
  await update(theirs);
  await inForce(theirs, "Updated.");
  mine.expects(412);
  await update(mine);
  await dialog(mine).getByText("theirs", { exact: true }).waitFor();
  await dialog(mine).getByText("mine", { exact: true }).waitFor();
  await press(mine, "Keep mine on top");
  await noDialog(mine);
  await update(mine);
  await mine.getByText("Everything is saved").waitFor();
  assert.equal((await kept()).description, "mine");
});

flow("deleting what a colleague changed meanwhile is refused and says so", async ({ account, page: open }) => {
  const brand = await account();
  const [person, colleague] = [await brand.member(), await brand.member()];
  const token = await person.token(brand, "Changed under way");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  await press(page, "Delete");
  await page.getByLabel(/Type the name/).fill(token.name);
  await colleague.changes(brand, token, { description: "needed" });
  page.expects(412);
  await press(page, "Delete for ever");
  await dialog(page).getByRole("alert").waitFor();
  assert.equal((await person.asks("GET", `${brand.path}/tokens/${token.id}`)).description, "needed");
});
