// The dashboard in a real browser. A test of the relay (app/postlane/tests/relay/browser.rs) starts
// the server, a model receiver and this; what is wrong is said on standard error.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { placeOf } from "./shots.mjs";
import { senders, senderForms } from "./senders.mjs";
import { trying, tryingForms } from "./trying.mjs";

const { POSTLANE_URL: base, POSTLANE_TOKEN: token, POSTLANE_SHOTS: shots, POSTLANE_SETUP: setup } = process.env;
const PASSWORD = "correct horse battery";
const PATIENCE = 60_000;
const here = path.dirname(fileURLToPath(import.meta.url));
const axe = fs.readFileSync(path.join(here, "node_modules/axe-core/axe.min.js"), "utf8");

const step = (says) => process.stdout.write(`${says}\n`);

// A browser that remembers what must never happen.
async function visitor(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: "light", reducedMotion: "reduce", acceptDownloads: true, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => {
    // A page that is refused on purpose is no error of ours.
    if (["error", "warning"].includes(message.type()) && !/status of 4(0[134]|22)/.test(message.text())) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith("blob:") && !url.startsWith("data:")) wrong.push(`elsewhere: ${url}`);
  });
  page.on("dialog", (dialog) => {
    wrong.push(`foreign text ran script: ${dialog.message()}`);
    dialog.dismiss();
  });
  return { context, page, wrong };
}

// What hinders people is an error: serious and critical findings.
async function accessible(page, name) {
  // Evaluated by the driver, outside the page's content policy.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  const says = serious.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.html} ${node.any?.[0]?.message ?? ""}`).join(" | ")}`);
  assert.deepEqual(says, [], `${name} has what hinders people`);
}

// Pictures of lanes are of a run of hours: pictures.mjs takes them.
const ELSEWHERE = ["lanes-dark", "lane-dark", "lanes-phone", "lane-phone"];

async function picture(page, name) {
  if (shots && !ELSEWHERE.includes(name)) await page.screenshot({ path: placeOf(shots, name) });
}

async function signIn(page, name) {
  await page.goto(`${base}/sign-in`);
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", PASSWORD);
  await page.click("button.main");
  await page.waitForURL(`${base}/`);
}

async function send(messages) {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${base}/v1/messages`, { method: "POST", headers, body: JSON.stringify(messages) });
  assert.ok(answer.ok, await answer.text());
}

const to = (address, subject = "hi") => ({ from: "News <news@example.com>", to: [address], subject, text: "hi" });

const chip = (page, says) => page.locator("tr.lane", { hasText: "default" }).first().locator(".chip", { hasText: says });

async function firstSignIn(page) {
  step("the first admin is made with the token in the file");
  await page.goto(`${base}/`);
  await page.waitForURL(/\/setup$/);
  await accessible(page, "setup");
  await picture(page, "setup");
  await page.fill("[name=token]", fs.readFileSync(setup, "utf8").trim());
  await page.fill("[name=name]", "jo");
  await page.fill("[name=password]", PASSWORD);
  await page.click("button.main");
  await page.waitForURL(`${base}/`);
  assert.match(await page.textContent("main"), /No lane yet/);
  await accessible(page, "the empty overview");
}

async function throttled(page) {
  step("a lane is throttled while somebody looks");
  await send([...Array(40).keys()].map((n) => to(`user${n}@web.de`)));
  await page.goto(`${base}/?range=1h`);
  await page.waitForSelector("tr.lane");
  await chip(page, "Resting").waitFor();
  await page.waitForFunction(() => document.getElementById("live-says")?.textContent === "live");
  assert.equal(await page.locator("img[src=x]").count(), 0, "a reply made an element");
  await accessible(page, "the overview");
}

async function arranged(page) {
  step("lanes are ordered and found by the address, and live figures leave that alone");
  await page.click("table.lanes th a:has-text('Accepted/h')");
  await page.waitForURL(/sort=accepted/);
  assert.equal(await page.getAttribute("th[aria-sort]", "aria-sort"), "descending");
  await page.click("table.lanes th a:has-text('Accepted/h')");
  await page.waitForURL(/sort=-accepted/);
  assert.equal(await page.getAttribute("th[aria-sort]", "aria-sort"), "ascending");
  await page.click("nav[aria-label='Which lanes'] a:has-text('Needs a look')");
  await page.waitForURL(/state=attention/);
  await page.waitForFunction(() => document.getElementById("live-says")?.textContent === "live");
  assert.match(page.url(), /sort=-accepted/);
  await chip(page, "Resting").waitFor();
  await accessible(page, "the overview, ordered");
  await picture(page, "lanes-arranged");
  await page.fill("[name=find]", "nobody <b>");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=No lane matches this");
  await page.click("text=Show all lanes");
  await page.waitForSelector("tr.lane");
  const downloading = page.waitForEvent("download");
  await page.click("summary:has-text('Export')");
  await page.click("a:text-is('CSV')");
  assert.match(fs.readFileSync(await (await downloading).path(), "utf8"), /^provider,source,state,/);
  await page.goto(`${base}/?range=1h`);
  await chip(page, "Resting").waitFor();
}

async function ordered(page) {
  step("it is paused and resumed, and says why and by whom");
  await page.locator("tr.lane a[data-ask]").first().click();
  await page.waitForSelector("dialog[open] form.order");
  assert.match(await page.textContent("dialog"), /No message is sent/);
  await accessible(page, "the dialogue");
  await picture(page, "pause");
  await page.fill("dialog [name=why]", "a look at <b>this</b>");
  await page.click("dialog button.main");
  await chip(page, "Held").waitFor();
  await page.locator("tr.lane th a").first().click();
  await page.waitForSelector("[data-plot] svg");
  assert.match(await page.textContent("[data-part=head]"), /pause by jo: a look at <b>this<\/b>/);
  await page.locator("a[data-ask]", { hasText: "Resume" }).click();
  await page.locator("dialog button.main").click();
  await page.waitForFunction(() => !/Order that holds/.test(document.querySelector("[data-part=head]")?.textContent ?? "Order that holds"));
}

async function detail(page) {
  step("a lane is read by pointer, by keys and aloud");
  await page.waitForSelector("[data-part=changes] li.manual");
  await page.focus(".scrub");
  await page.keyboard.press("ArrowLeft");
  await page.waitForFunction(() => / UTC · \d+ accepted/.test(document.getElementById("readout").textContent));
  assert.match(await page.getAttribute(".scrub", "aria-valuetext"), /accepted/);
  assert.ok((await page.locator("[data-plot] tbody tr").count()) >= 60);
  assert.match(await page.textContent("#plot-says"), /attempts/);
  await accessible(page, "a lane");
  step("a plot is shown larger by keys and by dragging, and a click opens the log");
  const here = page.url();
  await page.focus(".scrub");
  for (let moved = 0; moved < 20; moved += 1) await page.keyboard.press("Shift+ArrowLeft");
  assert.match(await page.textContent("#readout"), /chosen; Enter shows it larger/);
  await page.keyboard.press("Enter");
  await page.waitForURL(/[?&]from=2/);
  assert.match(await page.textContent(".plot-caption"), /Recipients in 1 min each, .* UTC/);
  await page.click("nav[aria-label=Zoom] >> text=To now");
  await page.waitForURL((url) => !url.search.includes("from="));
  const box = await page.locator(".scrub").boundingBox();
  const at = (share) => [box.x + box.width * share, box.y + box.height / 2];
  await page.mouse.move(...at(0.3));
  await page.mouse.down();
  await page.mouse.move(...at(0.6), { steps: 4 });
  assert.match(await page.textContent("#readout"), /chosen/);
  await page.mouse.up();
  await page.waitForURL(/[?&]from=2/);
  await page.goto(here);
  await page.mouse.click(...at(0.99));
  await page.waitForURL(/\/log\?.*since=.*until=/);
  await page.goto(here);
  await page.focus(".scrub");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/log\?/);
}

async function found(page) {
  step("a message is found by its recipient, and its reply explained");
  await send([to("unknown1@gmail.com", "<script>alert(1)</script>")]);
  await page.fill("header [name=what]", "unknown1@gmail.com");
  // It may not have been tried yet: then the same is asked again.
  for (let tries = 0; tries < 300; tries += 1) {
    await page.goto(`${base}/trace?what=${encodeURIComponent("unknown1@gmail.com")}`);
    if (await page.locator(".chip.bounced").count()) break;
  }
  assert.match(await page.locator(".explained").first().textContent(), /mailbox|address|recipient/i);
  await accessible(page, "a message");
  await picture(page, "message");
  await page.goto(`${base}/log?kind=bounced`);
  assert.ok((await page.locator("table.rows tbody tr").count()) >= 1);
  await accessible(page, "the log");
  await page.goto(`${base}/log`);
  await picture(page, "log");
  await page.goto(`${base}/log?code=4xx&since=24h`);
  await page.click("summary:has-text('Save view')");
  await page.fill("[name=name]", "Refusals, last 24 h");
  await page.click("form.choose button.main");
  await page.waitForSelector(".saved a[aria-current]");
  await accessible(page, "a saved view");
  await picture(page, "log-view");
  await page.goto(`${base}/log?text=no+such+words+anywhere`);
  assert.match(await page.textContent("main"), /Nothing matches/);
}

async function others(page) {
  step("queue and incidents, and evidence to download");
  await page.goto(`${base}/queue?status=ready`);
  await accessible(page, "the queue");
  await picture(page, "queue");
  await page.locator(".bulk a", { hasText: "Hold" }).click();
  await page.waitForSelector("dialog[open] form.order");
  assert.match(await page.textContent("dialog h2"), /Hold: \d+ recipients?/);
  await accessible(page, "what will be held");
  await picture(page, "queue-hold");
  await page.click("dialog button.main");
  await page.waitForURL(/done=hold/);
  assert.match(await page.textContent(".notice"), /recipients? (is|are) held/);
  await page.locator(".notice a[data-ask]").click();
  await page.locator("dialog button.main").click();
  await page.waitForURL(/done=release/);
  await page.goto(`${base}/queue`);
  const exporting = page.waitForEvent("download");
  await page.click("summary:has-text('Export')");
  await page.click("text=CSV");
  assert.match(fs.readFileSync(await (await exporting).path(), "utf8"), /^id,recipient,/);
  await page.goto(`${base}/log`);
  const parquet = page.waitForEvent("download");
  await page.click("summary:has-text('Export')");
  await page.click("text=PARQUET");
  assert.equal(fs.readFileSync(await (await parquet).path()).subarray(0, 4).toString(), "PAR1");
  await page.goto(`${base}/incidents`);
  await accessible(page, "incidents");
  await page.goto(`${base}/lanes/united-internet`);
  const downloading = page.waitForEvent("download");
  await page.click("text=Download evidence");
  const file = await (await downloading).path();
  assert.equal(fs.readFileSync(file).subarray(0, 2).toString(), "PK");
}

async function house(page) {
  step("people, tokens, the audit and one's own sign-in");
  await page.goto(`${base}/people`);
  await accessible(page, "people");
  await page.click("a[href='/people/new']");
  await page.waitForSelector("dialog[open] form.order");
  await accessible(page, "adding somebody");
  await page.fill("dialog [name=name]", "kim");
  await page.fill("dialog [name=password]", PASSWORD);
  await page.selectOption("dialog [name=role]", "operator");
  await page.click("dialog button.main");
  await page.waitForSelector("text=kim");
  await page.click("a[href='/tokens/new']");
  await page.waitForSelector("dialog[open] form.order");
  await page.fill("dialog [name=name]", "shop");
  await page.click("dialog button.main");
  assert.match(await page.textContent("code.path"), /^plt_/);
  await accessible(page, "a token that was made");
  await page.click("text=I have it");
  await page.waitForURL(`${base}/people`);
  await picture(page, "people");
  await page.goto(`${base}/audit`);
  assert.match(await page.textContent("main"), /POST \/v1\/users/);
  assert.doesNotMatch(await page.textContent("main"), /correct horse/);
  await accessible(page, "the audit");
  await picture(page, "audit");
  await page.goto(`${base}/account`);
  await accessible(page, "one's own sign-in");
}

async function forms(browser, page, wrong, tried) {
  step("on a phone, and in the dark");
  await page.emulateMedia({ colorScheme: "dark" });
  for (const [name, address] of [["lanes-dark", "/?range=1h"], ["lane-dark", "/lanes/united-internet"], ["log-dark", "/log"]]) {
    await page.goto(base + address);
    await accessible(page, `${name}`);
    await picture(page, name);
  }
  await senderForms({ page, base, accessible, picture }, "dark");
  await tryingForms({ page, base, accessible, picture }, "dark", tried);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, address] of [["lanes-phone", "/?range=1h"], ["lane-phone", "/lanes/united-internet"], ["log-phone", "/log"], ["queue-phone", "/queue"], ["people-phone", "/people"], ["audit-phone", "/audit"], ["account-phone", "/account"]]) {
    await page.goto(base + address);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
    await accessible(page, name);
    await picture(page, name);
  }
  await senderForms({ page, base, accessible, picture }, "phone");
  await tryingForms({ page, base, accessible, picture }, "phone", tried);
  assert.deepEqual(wrong, []);
}

async function viewer(browser) {
  step("a viewer looks and orders nothing; a tenant sees no figures of others");
  const { context, page, wrong } = await visitor(browser);
  await signIn(page, "vera");
  assert.equal(await page.locator("a[data-ask]").count(), 0);
  const asked = await page.goto(`${base}/lanes/united-internet/order/pause`);
  assert.equal(asked.status(), 403);
  assert.match(await page.textContent("main"), /ask an admin for the role operator/);
  await accessible(page, "a refusal");
  await context.clearCookies();
  await signIn(page, "tina");
  assert.match(await page.textContent("main"), /Lanes are everybody's/);
  assert.equal((await page.goto(`${base}/lanes/united-internet`)).status(), 403);
  await page.goto(`${base}/log`);
  assert.equal(await page.locator("table.rows").count(), 0, "another tenant's mail is seen");
  await page.goto(`${base}/rehearsals`);
  assert.equal(await page.locator("table.rows").count(), 0, "another's rehearsals are seen");
  await page.goto(`${base}/tests`);
  assert.equal(await page.locator("table.rows").count(), 0, "another's tests are seen");
  assert.deepEqual(wrong, []);
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.POSTLANE_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
try {
  const { page, wrong } = await visitor(browser);
  await firstSignIn(page);
  await throttled(page);
  await arranged(page);
  await ordered(page);
  await detail(page);
  await found(page);
  await others(page);
  await house(page);
  await senders({ page, base, step, accessible, picture });
  const tried = await trying({ page, base, step, accessible, picture });
  assert.deepEqual(wrong, []);
  await forms(browser, page, wrong, tried);
  await viewer(browser);
  step("all well");
} catch (error) {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      process.stderr.write(`at ${page.url()}:\n${(await page.textContent("body").catch(() => "")).replace(/\s+/g, " ").slice(0, 2000)}\n`);
    }
  }
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
