// Programs of others that speak PagerDuty's API, as a company has them that moves over: PagerDuty's own client for Python, which
// pages through lists, finds by name, retries, and reads what it gets strictly.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { startMuster } from "./muster.mjs";

const PYTHON = new URL("../target/python/bin/python", import.meta.url).pathname;
const OFFICIAL = new URL("clients/official.py", import.meta.url).pathname;

async function drive(muster, key) {
  const child = spawn(PYTHON, [OFFICIAL, muster.base, key], { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { told += chunk; });
  const status = await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(status, 0, told);
}

test("PagerDuty's own client does everything it does every day", { timeout: 300_000 }, async () => {
  const muster = await startMuster();
  try {
    await drive(muster, muster.owner.api_key);
    const { api_key: made } = await muster.post("/api_keys", { api_key: { kind: "account", scope: "full", name: "Moving over" } });
    await drive(muster, made.key);
  } finally {
    await muster.stop();
  }
});
