// A Muster of its own for a browser test: the built program, an empty database in a temporary folder, its
// first owner, and a browser that speaks to nothing else.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startPostgres } from "./postgres.mjs";

const PROGRAM = process.env.MUSTER_PROGRAM || new URL("../target/debug/muster", import.meta.url).pathname;
const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const PASSWORD = "a long enough password";

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server and gives its address, the owner's key, and a way to stop it. Its database is the embedded one, or
 * a PostgreSQL of its own where MUSTER_TEST_DATABASE says `postgresql`. */
export async function startMuster(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "muster-e2e-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const environment = { ...process.env, MUSTER_DATA: folder, MUSTER_LISTEN: `127.0.0.1:${port}`, MUSTER_EVENT_RATE_LIMIT: "off", ...settings };
  const postgres = process.env.MUSTER_TEST_DATABASE === "postgresql" ? await startPostgres() : null;
  if (postgres) environment.MUSTER_DATABASE_URL = postgres.url;
  const setup = spawnSync(
    PROGRAM,
    ["setup", "--email", "maya@example.org", "--name", "Maya Okafor", "--password", PASSWORD, "--json"],
    { env: environment, encoding: "utf8" },
  );
  if (setup.status !== 0) throw new Error(`muster setup failed: ${setup.stderr}`);
  const owner = JSON.parse(setup.stdout);
  const child = spawn(PROGRAM, ["serve"], { env: environment, stdio: ["ignore", "ignore", "inherit"] });
  const until = Date.now() + 30_000;
  for (;;) {
    try {
      if ((await fetch(`${base}/health/ready`)).status === 200) break;
    } catch {
      // It does not listen yet.
    }
    if (Date.now() > until) throw new Error("Muster was not ready within 30 seconds");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const headers = { authorization: `Token token=${owner.api_key}`, "content-type": "application/json" };
  const ask = async (method, path, body) => {
    const answer = await fetch(base + path, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text ? JSON.parse(text) : null;
  };
  return {
    base,
    owner,
    email: "maya@example.org",
    password: PASSWORD,
    headers,
    get: (path) => ask("GET", path),
    post: (path, body) => ask("POST", path, body),
    put: (path, body) => ask("PUT", path, body),
    async stop() {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
      await postgres?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The demo, replayed until 06:12 of its story, or another time of it, or its end, so many times faster than the wall. */
export async function startDemo(until = "06:12", speed = process.env.MUSTER_DEMO_SPEED || "60") {
  const folder = mkdtempSync(join(tmpdir(), "muster-demo-"));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const child = spawn(
    PROGRAM,
    ["demo", "--data", folder, "--listen", `127.0.0.1:${port}`, "--speed", speed, ...(until ? ["--until", until] : []), "--password", PASSWORD],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (said += bytes));
  const limit = Date.now() + 480_000;
  while (!said.includes("The replay is over")) {
    if (Date.now() > limit || said.includes("the replay stopped") || child.exitCode !== null) throw new Error(`the demo did not come to its end: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    base,
    email: "maya@larkfield.example",
    password: PASSWORD,
    shop: said.match(/\/at\/[a-z0-9]+/)[0],
    async stop() {
      child.kill("SIGTERM");
      await new Promise((resolve) => child.once("exit", resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page at a phone's or a desk's width, in a theme, with or without scripts. What it asks other hosts for and
 * what goes wrong in its scripts is kept on it, for the test to look at. */
export async function openPage(browser, base, { width = 1440, theme = "light", scripts = "on" } = {}) {
  const context = await browser.newContext({
    viewport: { width, height: width < 800 ? 844 : 900 },
    colorScheme: theme,
    hasTouch: width < 800,
    reducedMotion: "reduce",
    javaScriptEnabled: scripts === "on",
  });
  const page = await context.newPage();
  page.strangers = [];
  page.errors = [];
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith("data:")) page.strangers.push(url);
  });
  return page;
}

/** What kind of page an address is: ids of any length are one. */
export const kind = (path) => path.replace(/\/(case|ack)\/(?!nothing)[^/]+/, "/$1/*").replace(/\/[A-Z0-9]{8,}(?=\/|$)/g, "/*").replace(/=.*/, "");

/** One address of every kind that can be reached by links from the rail, for whoever is signed in on the page. */
export async function everyPlace(page, muster) {
  const found = new Map([["/console", "/console"]]);
  const waiting = ["/console"];
  while (waiting.length) {
    await page.goto(muster.base + waiting.shift(), { waitUntil: "domcontentloaded" });
    const links = await page.locator("a[href^='/console']").evaluateAll((all) => all.map((link) => link.getAttribute("href").split("#")[0]));
    for (const path of links) {
      if (/sign-out|[?&](from|before|earlier|later)=/.test(path) || found.has(kind(path))) continue;
      found.set(kind(path), path);
      waiting.push(path);
    }
  }
  return [...found.values()];
}

/** What axe-core finds wrong with the page as it stands. */
export async function violations(page) {
  await page.evaluate(AXE).catch(async () => page.addScriptTag({ content: AXE }));
  const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}
