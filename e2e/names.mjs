// Hostile names everywhere, looked at on every page: they stay words, and no page becomes wider than its screen.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { furnish } from "./hostile.mjs";
import { everyPlace, openPage, startBrowser, startMuster } from "./muster.mjs";

let muster, browser, further, places;

before(async () => {
  muster = await startMuster({ MUSTER_API_RATE_LIMIT: "off" });
  browser = await startBrowser();
  further = await furnish(muster, 12);
});
after(async () => {
  await browser?.close();
  await muster?.stop();
});

/** What is wrong with the page as it stands. */
async function wrong(page, width) {
  const { title, taken, wider } = await page.evaluate(() => ({
    title: document.title,
    taken: [...document.querySelectorAll("[data-taken], [onerror], script:not([src])")].map((one) => one.outerHTML.slice(0, 200)),
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  }));
  const found = taken.map((one) => `a name became markup: ${one}`);
  if (!title || title === "taken") found.push(`the title is “${title}”`);
  if (wider > 0) found.push(`it is ${wider} px wider than a screen of ${width}`);
  return found;
}

for (const width of [1440, 390]) {
  test(`hostile names stay names on every page at ${width}`, async () => {
    const page = await openPage(browser, muster.base, { width });
    const complaints = [];
    page.on("dialog", async (dialog) => {
      complaints.push(`${page.url()} asked “${dialog.message()}”`);
      await dialog.dismiss();
    });
    await page.goto(`${muster.base}/console`);
    await page.fill("input[name=email]", muster.email);
    await page.fill("input[name=password]", muster.password);
    await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
    places ??= await everyPlace(page, muster);
    assert.ok(places.length > 35, `only ${places.length} kinds of pages were found`);
    for (const path of [...places, ...further]) {
      const answer = await page.goto(muster.base + path);
      if (answer.status() !== 200) complaints.push(`${path} answered ${answer.status()}`);
      complaints.push(...(await wrong(page, width)).map((one) => `${path}: ${one}`));
    }
    assert.deepEqual([...complaints, ...page.errors, ...page.strangers], []);
    await page.context().close();
  });
}
