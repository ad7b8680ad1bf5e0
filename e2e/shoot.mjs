// Photographs pages in both themes at a phone's and a desk's width, and asks axe-core about each.
//
//   node shoot.mjs --files FOLDER [--out screenshots] [--cookie name=value] [--first-screen] page …
//   node shoot.mjs --base http://127.0.0.1:8080 [--out screenshots] [--cookie name=value] /console …
//
// With --files the folder that the console's tests fill (MUSTER_RENDER_TO) is served with the console's own
// content security policy, so that a broken rule shows here too. Ends with 1 when axe or the browser complains.
import { createServer } from "node:http";
import { readFile, readdir } from "node:fs/promises";
import { mkdirSync } from "node:fs";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const options = { out: "screenshots", base: "", files: "", cookie: "", chromium: process.env.CHROMIUM || "/usr/bin/chromium", widths: "1440,390", themes: "light,dark" };
const flags = new Set();
const pages = [];
for (let index = 2; index < process.argv.length; index++) {
  const argument = process.argv[index];
  if (!argument.startsWith("--")) pages.push(argument);
  else if (argument.slice(2) in options) options[argument.slice(2)] = process.argv[++index];
  else flags.add(argument.slice(2));
}

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

let server;
if (options.files) {
  server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://x").pathname;
    try {
      const bytes = await readFile(join(options.files, path));
      const policy = path.startsWith("/public") || path.startsWith("/store") ? PAGE_POLICY : POLICY;
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain", "content-security-policy": policy });
      response.end(bytes);
    } catch {
      if (path === "/console/live") response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      else response.writeHead(404).end();
    }
  }).listen(0);
  options.base = `http://127.0.0.1:${server.address().port}`;
  if (!pages.length) pages.push(...(await readdir(options.files)).filter((name) => name.endsWith(".html")).map((name) => `/${name}`));
}
mkdirSync(options.out, { recursive: true });

const axeSource = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const browser = await chromium.launch({ executablePath: options.chromium, args: ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"] });
let complaints = 0;
for (const theme of options.themes.split(",")) {
  for (const width of options.widths.split(",").map(Number)) {
    const context = await browser.newContext({
      viewport: { width, height: width < 800 ? 844 : 900 }, colorScheme: theme, deviceScaleFactor: width < 800 ? 2 : 1,
      hasTouch: width < 800, reducedMotion: "reduce", bypassCSP: false,
    });
    if (options.cookie) {
      const [name, ...value] = options.cookie.split("=");
      await context.addCookies([{ name, value: value.join("="), url: options.base }]);
    }
    for (const path of pages) {
      const page = await context.newPage();
      const said = [];
      page.on("console", (message) => { if (message.type() === "error" && !/Failed to load resource|EventSource/.test(message.text())) said.push(message.text()); });
      page.on("pageerror", (error) => said.push(String(error)));
      page.on("requestfailed", (request) => { if (!request.url().startsWith(options.base)) said.push(`asked another host: ${request.url()}`); });
      const url = new URL(path.startsWith("/") ? path : `/${path}.html`, options.base).href;
      await page.goto(url, { waitUntil: "load" });
      await page.evaluate(() => document.fonts.ready);
      const name = (path.replace(/^\//, "").replace(/\.html$/, "").replace(/[^a-z0-9]+/gi, "-") || "root") + `-${width}-${theme}`;
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (overflow > 0) said.push(`the page is ${overflow} px wider than the screen`);
      if (!flags.has("first-screen")) {
        // A screen as tall as the page, so that what is fixed stands at its edges as it does for a reader.
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ width, height: Math.max(height, page.viewportSize().height) });
      }
      await page.screenshot({ path: join(options.out, `${name}.png`) });
      if (!flags.has("no-axe")) {
        const session = await context.newCDPSession(page);
        await session.send("Page.setBypassCSP", { enabled: true });
        await page.evaluate(axeSource);
        const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        for (const violation of found.violations) {
          said.push(`axe ${violation.id} (${violation.impact}): ${violation.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.any?.[0]?.message ?? ""}`).join(" | ")}`);
        }
      }
      for (const line of said) console.log(`${name}: ${line}`);
      complaints += said.length;
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
server?.closeAllConnections();
server?.close();
console.log(`${pages.length} pages, ${complaints} complaints`);
process.exit(complaints ? 1 : 0);
