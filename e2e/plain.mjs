// The console without scripts: whoever has them off, or whose line lost them, opens the same dialogs by their links
// and sends the same forms.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, startBrowser, startMuster, violations } from "./muster.mjs";

let muster, browser, page, room;

before(async () => {
  muster = await startMuster();
  const me = (await muster.get("/users/me")).user;
  const rule = { escalation_delay_in_minutes: 30, targets: [{ id: me.id, type: "user_reference" }] };
  const { escalation_policy: policy } = await muster.post("/escalation_policies", { escalation_policy: { type: "escalation_policy", name: "Payments", escalation_rules: [rule] } });
  await muster.post("/services", { service: { type: "service", name: "card-gateway", escalation_policy: { id: policy.id, type: "escalation_policy_reference" } } });
  browser = await startBrowser();
  page = await openPage(browser, muster.base, { scripts: "off" });
  await page.goto(`${muster.base}/console`);
  await page.fill("input[name=email]", muster.email);
  await page.fill("input[name=password]", muster.password);
  await page.click("button[type=submit]");
});
after(async () => {
  await browser?.close();
  await muster?.stop();
});

const open = async (id) => {
  await page.locator(`[data-open=${id}]:visible`).first().click();
  await page.waitForSelector(`#${id}`, { state: "visible" });
};
const send = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);

test("an incident is raised without a script", async () => {
  await page.goto(`${muster.base}/console/incidents`);
  assert.equal(await page.locator("dialog:visible").count(), 0);
  await open("raise");
  await page.click("#raise [data-close]");
  await page.waitForSelector("#raise", { state: "hidden" });
  await open("raise");
  await page.fill("#raise-title-field", "Customers cannot pay by card");
  await page.fill("#raise-details", "Terminals are silent");
  await send("#raise button.primary");
  const { incidents } = await muster.get("/incidents");
  assert.deepEqual(incidents.map((one) => one.title), ["Customers cannot pay by card"]);
  room = `${muster.base}/console/incidents/${incidents[0].id}`;
});

test("every dialog of the room opens by its link, and closes", async () => {
  await page.goto(room);
  const ids = await page.locator("a[data-open]").evaluateAll((all) => [...new Set(all.map((one) => one.dataset.open))]);
  assert.ok(["escalate", "resolve", "responders", "role", "priority", "snooze", "merge"].every((id) => ids.includes(id)), ids.join());
  for (const id of ids) {
    await page.goto(`${room}#${id}`);
    assert.ok(await page.locator(`#${id}`).isVisible(), id);
    assert.equal(await page.locator("dialog:visible").count(), 1);
  }
  await page.click("dialog:visible [data-close]");
  assert.equal(await page.locator("dialog:visible").count(), 0);
});

test("who will read is said before a word is typed, and the next word can be promised", async () => {
  await page.goto(room);
  const say = page.locator("form.composer");
  assert.match(await say.locator(".sees").innerText(), /Only people/);
  const outside = say.locator("input.outside-reader").first();
  await outside.check({ force: true });
  assert.doesNotMatch(await say.locator(".sees").innerText(), /Only people/);
  assert.equal(await say.locator("button:visible").last().innerText(), "Tell them");
  if (await say.locator("select[name=promise]").isVisible()) assert.ok((await say.locator("select[name=promise] option").count()) > 2);
});

test("what only a script can do is not offered", async () => {
  await page.goto(room);
  assert.equal(await page.locator("[data-open=palette]:visible, [data-open=keys]:visible, [data-copy]:visible").count(), 0);
});

test("an incident is acknowledged and resolved without a script", async () => {
  await page.goto(room);
  await send(".room-head form[action$='/acknowledge'] button");
  await open("resolve");
  await page.fill("#resolve-words", "Rolled back");
  await send("#resolve button.primary");
  const { incidents } = await muster.get("/incidents?statuses[]=resolved");
  assert.equal(incidents.length, 1);
  assert.match(await page.locator("h1").innerText(), /./);
});

test("a dialog that a link opened has nothing that axe objects to", async () => {
  // axe is a script itself, so the same look is asked for in a page that has them.
  const other = await openPage(browser, muster.base);
  await other.context().addCookies(await page.context().cookies());
  await other.goto(`${muster.base}/console/incidents#raise`);
  await other.waitForSelector("#raise[open]");
  assert.deepEqual(await violations(other), []);
  assert.deepEqual(other.errors, []);
  await other.keyboard.press("Escape");
  await other.locator("[data-open=raise]").first().focus();
  await other.keyboard.press("Space");
  await other.waitForSelector("#raise[open]");
});
