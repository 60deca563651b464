// Trying out in a real browser: a rehearsal to its end, and a message to a test address.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";

async function described(page, base) {
  await page.goto(`${base}/rehearsals`);
  assert.equal(await page.locator("[name=provider]").isVisible(), false);
  await page.check("[name=told][value=description]");
  assert.equal(await page.locator("select[name=scenario]").isVisible(), false);
  await page.fill("[name=messages]", "600");
  await page.fill("[name=quota]", "120");
  await page.fill("[name=penalty]", "30m");
}

async function rehearsed({ page, base, step, accessible, picture }) {
  step("a rehearsal is described, refused with its cure, and run to its end");
  await described(page, base);
  await page.click("button:text('Rehearse')");
  await page.waitForSelector("[aria-invalid]");
  assert.match(await page.textContent("#hint-window"), /as in "1h"/);
  assert.equal(await page.inputValue("[name=messages]"), "600");
  await accessible(page, "a form that is refused");
  await page.fill("[name=window]", "1h");
  await picture(page, "rehearse");
  await page.click("button:text('Rehearse')");
  await page.waitForURL(/\/rehearsals\/\d+$/);
  await page.locator("[data-part=state] .chip", { hasText: "done" }).waitFor();
  await page.waitForSelector(".compared tbody tr:nth-child(3)");
  assert.match(await page.textContent("[data-part=outcomes]"), /lane.*postfix.*oracle/s);
  assert.ok((await page.locator(".run-plot path.accepted").count()) === 3);
  assert.ok((await page.locator(".run-band rect.state").count()) >= 1);
  const here = page.url();

  step("virtual time is moved through by keys, and what it suggests is taken along");
  await page.focus("#virtual-time");
  await page.keyboard.press("Home");
  for (let moved = 0; moved < 40; moved += 1) await page.keyboard.press("ArrowRight");
  assert.match(await page.locator(".run .readout").first().textContent(), /after .* accepted/);
  assert.match(await page.getAttribute("#virtual-time", "aria-valuetext"), /accepted/);
  await page.click("[data-play]");
  await page.waitForFunction(() => document.getElementById("virtual-time").valueAsNumber > 60);
  await page.click("[data-play]");
  await page.reload();
  await accessible(page, "a rehearsal");
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, "rehearsal");
  assert.match(await page.textContent("main"), /postlane rehearse described\.toml --policy lane,postfix,oracle --seeds 3 --json/);
  const downloading = page.waitForEvent("download");
  await page.click("text=Download TOML");
  const file = await downloading;
  assert.equal(file.suggestedFilename(), "lane-described.toml");
  assert.match(fs.readFileSync(await file.path(), "utf8"), /^\[lane\."united-internet"\]$/m);
  await page.click("text=Rehearse again");
  await page.waitForSelector("textarea[name=toml]");
  assert.match(await page.inputValue("[name=toml]"), /quota = 120/);
  await page.fill("[name=toml]", "[meta]\nid = \"<img src=x onerror=alert(1)>\"\nx = 1\n");
  await page.click("button:text('Rehearse')");
  await page.waitForSelector("[role=alert]");
  assert.match(await page.textContent("[role=alert]"), /line 3: unknown field/);
  assert.equal(await page.locator("img[src=x]").count(), 0, "a scenario made an element");
  await page.goto(`${base}/rehearsals`);
  assert.match(await page.textContent("table"), /600 messages to web\.de/);
  await accessible(page, "the rehearsals");

  step("a long one is watched while it goes, and stopped");
  for (const policy of ["lane-warm", "pmta", "aimd"]) await page.check(`[name=policy-${policy}]`);
  await page.selectOption("select[name=scenario]", "p11-time-of-day");
  await page.fill("[name=seeds]", "10");
  await page.click("button:text('Rehearse')");
  await page.waitForURL(/\/rehearsals\/\d+$/);
  await page.waitForSelector(".run-plot path.accepted");
  assert.match(await page.textContent("[data-part=pictures]"), /has come to/);
  await movedThroughWhileDrawn(page);
  await page.click("button:text('Stop')");
  await page.locator("[data-part=state] .chip", { hasText: "stopped" }).waitFor();
  return here;
}

// Who moves through virtual time by keys keeps place, focus and what is read out while the part is drawn
// anew beneath them, and the keys go on working.
async function movedThroughWhileDrawn(page) {
  const drawnAnew = () => page.evaluate(() => new Promise((resolve) => {
    const heard = (event) => {
      if (event.target.dataset.part !== "pictures") return;
      document.removeEventListener("patched", heard);
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    };
    document.addEventListener("patched", heard);
  }));
  await page.focus("#virtual-time");
  await page.keyboard.press("Home");
  for (let moved = 1; moved <= 4; moved += 1) {
    await page.keyboard.press("ArrowRight");
    await drawnAnew();
    const sees = await page.evaluate(() => ({
      focus: document.activeElement.id,
      at: document.getElementById("virtual-time").valueAsNumber,
      says: document.getElementById("virtual-time").getAttribute("aria-valuetext") ?? "",
      silent: [...document.querySelectorAll(".run .readout")].filter((one) => one.textContent === "").length,
      veiled: [...document.querySelectorAll(".run .ahead")].every((one) => Number(one.getAttribute("x")) < 10),
    }));
    assert.match(sees.says, /accepted/);
    assert.deepEqual({ ...sees, says: "" }, { focus: "virtual-time", at: moved, says: "", silent: 0, veiled: true });
  }
}

// A message as any host would bring it.
function brought(port, to, lines) {
  const says = ["EHLO mail.example.com", "MAIL FROM:<news@example.com>", `RCPT TO:<${to}>`, "DATA", `${lines.join("\r\n")}\r\n.`, "QUIT"];
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1");
    let heard = "";
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("data", (data) => {
      heard += data;
      if (!/^\d{3} .*\r\n$/m.test(heard.slice(heard.lastIndexOf("\n", heard.length - 2) + 1))) return;
      const next = says.shift();
      if (next) socket.write(`${next}\r\n`);
    });
    socket.on("close", () => (says.length === 0 && /\r\n250 [^\r]*\r\n221 /.test(heard) ? resolve() : reject(new Error(heard))));
  });
}

async function tested({ page, base, step, accessible, picture }) {
  step("a message to a test address is waited for, and its report read");
  await page.goto(`${base}/tests`);
  assert.match(await page.textContent("main"), /No test yet/);
  await accessible(page, "no tests");
  await page.selectOption("[name=lasts_s]", "604800");
  await page.click("button:text('New test')");
  await page.waitForURL(/\/tests\/[0-9a-f]+$/);
  const here = page.url();
  assert.match(await page.textContent("[data-live]"), /waits for mail/);
  await page.waitForFunction(() => document.getElementById("live-says")?.textContent === "live");
  await accessible(page, "a test that waits");
  await picture(page, "test-waiting");
  const to = (await page.textContent(".give .path")).trim();
  const port = Number(process.env.POSTLANE_SMTP);
  // Pictures are for the guide; else the subject tries to be more than text.
  const subject = process.env.POSTLANE_SHOTS ? "Your order" : "<img src=x onerror=alert(1)> Your order";
  const date = `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`;
  const mail = ["From: News <news@example.com>", `To: <${to}>`, `Subject: ${subject}`, date, "Message-ID: <1@example.com>", "", "It is on its way."];
  await brought(port, to, mail);
  await page.waitForSelector("[data-report]");
  assert.equal((await page.textContent("h1")).trim(), subject);
  assert.match(await page.textContent(".head .facts"), /of 54 tests passed/);
  assert.equal(await page.locator("img[src=x]").count(), 0, "a subject made an element");
  assert.ok((await page.locator(".gates .chip").count()) >= 6);
  await page.locator("summary", { hasText: "What was said" }).click();
  assert.match(await page.locator("details[open] pre").last().textContent(), /C: MAIL FROM:<news@example\.com>/);
  await page.locator("summary", { hasText: "Header, field by field" }).click();
  await accessible(page, "the report of a test");
  await page.reload();
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, "test");

  step("it is sent again, and what has changed is said");
  await page.waitForFunction(() => document.getElementById("live-says")?.textContent === "live");
  await brought(port, to, mail.filter((line) => !line.startsWith("Message-ID") && !line.startsWith("Date")));
  await page.waitForSelector("#h-since");
  assert.match(await page.textContent("section:has(#h-since)"), /worse/);
  await page.click("nav[aria-label='Messages of this test'] >> text=Message 1");
  await page.waitForURL(/message=1/);
  assert.equal(await page.locator("#h-since").count(), 0);
  await page.goto(`${base}/tests`);
  assert.match(await page.textContent("table"), /of 54/);
  await page.click("nav[aria-label='Which tests'] >> text=Nothing came");
  await page.waitForURL(/state=expired/);
  assert.match(await page.textContent("main"), /No test is so/);
  await page.goto(`${base}/tests`);
  await accessible(page, "the tests");
  await picture(page, "tests");
  return here;
}

export async function trying(tools) {
  return { rehearsal: await rehearsed(tools), test: await tested(tools) };
}

// The same pages in the dark, or on a phone.
export async function tryingForms({ page, base, accessible, picture }, form, { rehearsal, test }) {
  for (const [name, address] of [["rehearse", `${base}/rehearsals`], ["rehearsal", rehearsal], ["tests", `${base}/tests`], ["test", test]]) {
    await page.goto(address);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}-${form} is ${wide} pixels too wide`);
    await accessible(page, `${name}-${form}`);
    await picture(page, `${name}-${form}`);
  }
}
