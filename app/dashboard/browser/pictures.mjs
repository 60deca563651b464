// The guide's pictures of lanes that have worked for hours: `cargo xtask pictures` starts a relay
// and model receivers whose time runs faster, and this; it hands over mail, waits, and looks.
import { chromium } from "playwright-core";
import { placeOf } from "./shots.mjs";

const { POSTLANE_URL: base, POSTLANE_TOKEN: token, POSTLANE_PASSWORD: password, POSTLANE_SHOTS: shots } = process.env;
const MINUTES = 4;
const DOMAINS = ["web.de", "yahoo.com", "outlook.com", "gmail.com"];

// The same every time: the pictures shall differ only where the program does.
let seed = 7;
const random = (below) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * below);
};

const message = (domain, stream, n) => ({
  from: stream === "transactional" ? "Shop <orders@shop.example>" : "Shop <news@shop.example>",
  to: [`customer${n}@${domain}`],
  subject: stream === "transactional" ? "Your order is on its way" : "News of this week",
  text: "Hello",
  stream,
});

async function send(messages) {
  const headers = { authorization: `Bearer ${token.trim()}`, "content-type": "application/json" };
  for (let from = 0; from < messages.length; from += 100) {
    const body = JSON.stringify(messages.slice(from, from + 100));
    const answer = await fetch(`${base}/v1/messages`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(await answer.text());
  }
}

async function work() {
  let n = 0;
  const some = (count, domain, stream) => Array.from({ length: count }, () => message(domain, stream, (n += 1)));
  await send([...some(1800, "web.de", "engaged"), ...some(1500, "yahoo.com", "engaged"), ...some(1500, "outlook.com", "engaged"), ...some(900, "gmail.com", "engaged")]);
  for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
    await send(DOMAINS.flatMap((domain) => some(random(4), domain, "transactional")).concat(some(1 + random(9), "gmail.com", "engaged")));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}

async function look(page, name, address) {
  await page.goto(base + address);
  await page.waitForSelector("h1");
  await page.waitForFunction(() => document.getElementById("live-says")?.textContent === "live");
  await page.screenshot({ path: placeOf(shots, name) });
}

await work();
const browser = await chromium.launch({ executablePath: process.env.POSTLANE_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: "light", reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${base}/sign-in`);
  await page.fill("[name=name]", "jo");
  await page.fill("[name=password]", password);
  await page.click("button.main");
  await page.waitForURL(`${base}/`);
  const [lanes, lane] = ["/?range=3h", "/lanes/united-internet/out1?range=12h"];
  await look(page, "lanes", lanes);
  await look(page, "lane", lane);
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, "lanes-dark", lanes);
  await look(page, "lane-dark", lane);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await look(page, "lanes-phone", lanes);
  await look(page, "lane-phone", lane);
} finally {
  await browser.close();
}
