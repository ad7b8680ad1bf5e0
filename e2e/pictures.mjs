// Pictures of every screen, to be looked at by a person: the demo, an empty Muster, and one with hostile names,
// each at a phone's and a desk's width in both themes. Only when MUSTER_PICTURES names a folder for them.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { furnish } from "./hostile.mjs";
import { everyPlace, kind, openPage, startBrowser, startDemo, startMuster } from "./muster.mjs";

const FOLDER = process.env.MUSTER_PICTURES;
const VIEWS = [1440, 390].flatMap((width) => ["light", "dark"].map((theme) => ({ width, theme })));
/** A set of pictures may take this long on a slow machine. */
const LIMIT = { skip: !FOLDER, timeout: 1_800_000 };

let browser;
before(async () => {
  if (FOLDER || process.env.MUSTER_README_PICTURES) browser = await startBrowser();
});
after(async () => browser?.close());

async function signIn(page, muster) {
  await page.goto(`${muster.base}/console`);
  await page.fill("input[name=email]", muster.email);
  await page.fill("input[name=password]", muster.password);
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
}

const named = (path) => path.replace(/^\//, "").replace(/[^a-z0-9]+/gi, "-") || "root";

async function picture(page, address, file) {
  const answer = await page.goto(address, { waitUntil: "load" });
  const { height, wider } = await page.evaluate(async () => {
    await document.fonts.ready;
    const { scrollHeight, scrollWidth, clientWidth } = document.documentElement;
    return { height: scrollHeight, wider: scrollWidth - clientWidth };
  });
  const { width, height: least } = page.viewportSize();
  const tall = Math.min(Math.max(height, least), 4000);
  if (tall !== least) await page.setViewportSize({ width, height: tall });
  await page.screenshot({ path: file });
  if (tall !== least) await page.setViewportSize({ width, height: least });
  return wider > 0 ? [`${address} is ${wider} px wider than ${width}`] : answer.status() >= 500 ? [`${address} answered ${answer.status()}`] : [];
}

async function picturesOf(name, muster, open) {
  const folder = join(FOLDER, name);
  mkdirSync(folder, { recursive: true });
  const complaints = [];
  let places;
  for (const view of VIEWS) {
    const page = await openPage(browser, muster.base, view);
    // The stream of a page keeps a connection; pictures stand still.
    await page.route("**/console/live", (route) => route.abort());
    const ending = `${view.width}-${view.theme}.png`;
    complaints.push(...(await picture(page, `${muster.base}/console/sign-in`, join(folder, `sign-in-${ending}`))));
    await signIn(page, muster);
    places ??= await everyPlace(page, muster);
    for (const path of [...places, ...open]) {
      complaints.push(...(await picture(page, muster.base + path, join(folder, `${named(kind(path))}-${ending}`))));
    }
    await page.context().close();
  }
  await muster.stop();
  assert.ok(places.length > 10, `only ${places.length} places`);
  assert.deepEqual(complaints, []);
}

/** What a customer who writes by the form is shown afterwards. */
async function caseOf(base) {
  const page = await openPage(browser, base);
  await page.goto(`${base}/report`);
  await page.fill("textarea[name=text]", "The card reader said offline twice. Have I paid?");
  await Promise.all([page.waitForNavigation(), page.click("button[type=submit]")]);
  const { pathname } = new URL(page.url());
  await page.context().close();
  return pathname;
}

/** The first address on a page that begins so. */
async function linkOn(base, path, begin) {
  const text = await (await fetch(base + path)).text();
  const found = text.split('"').find((part) => part.startsWith(begin));
  assert.ok(found, `no ${begin} on ${path}`);
  return found;
}

/** Pages without a sign-in, those that refuse among them. */
const OUTSIDE = ["/report", "/docs", "/docs/incidents", "/nothing-here", "/console/nothing-here", "/console/incidents/NOTHING", "/status/nothing", "/at/nothing", "/case/nothing", "/ack/nothing"];

test("pictures of the demo", LIMIT, async () => {
  const muster = await startDemo();
  const { base, shop } = muster;
  const story = await linkOn(base, "/status/larkfield/history", "/status/larkfield/incidents/");
  const subscribed = ["/status/larkfield/confirm/nothing", "/status/larkfield/unsubscribe/nothing"];
  await picturesOf("demo", muster, [...OUTSIDE, ...subscribed, "/status/larkfield", "/status/larkfield/history", story, shop, `${shop}/report`, await caseOf(base), "/console/kit"]);
});

test("pictures of the demo when its morning is over", LIMIT, async () => {
  const muster = await startDemo("");
  const story = await linkOn(muster.base, "/status/larkfield/history", "/status/larkfield/incidents/");
  await picturesOf("demo-over", muster, ["/status/larkfield", story, muster.shop]);
});

/** First screens of the demo for the README, where MUSTER_README_PICTURES names a folder for them. */
const README = process.env.MUSTER_README_PICTURES;
test("pictures for the README", { ...LIMIT, skip: !README }, async () => {
  const muster = await startDemo();
  const page = await openPage(browser, muster.base, VIEWS[0]);
  const first = async (path, name) => {
    await page.goto(muster.base + path, { waitUntil: "load" });
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: join(README, `${name}.png`) });
  };
  await signIn(page, muster);
  await first("/console", "now");
  const room = page.locator("a[href^='/console/incidents/']", { hasText: "Card payments" });
  await first(await room.first().getAttribute("href"), "room");
  await first("/console/desk", "desk");
  await first(await page.locator("#owed a.row-link").first().getAttribute("href"), "desk");
  await first("/status/larkfield", "public");
  await page.context().close();
  await muster.stop();
});

test("pictures of an empty Muster", LIMIT, async () => {
  const muster = await startMuster();
  await muster.post("/status_pages", { status_page: { name: "Empty", slug: "empty" } });
  await picturesOf("empty", muster, ["/status/empty", "/status/empty/history", "/report", "/at/unknown"]);
});

test("pictures of hostile names", LIMIT, async () => {
  const muster = await startMuster({ MUSTER_API_RATE_LIMIT: "off" });
  await picturesOf("hostile", muster, await furnish(muster, 500));
});
