// Senders in a real browser: domains, lists, and what providers ask for.
import assert from "node:assert/strict";

async function domains({ page, base, step, accessible, picture }) {
  step("a domain's records are looked at, and what is wrong says what to publish");
  await page.goto(`${base}/domains`);
  await page.click("a:text-is('example.com')");
  await page.waitForURL(/\/domains\/example\.com$/);
  await page.click("button:text('Look now')");
  await page.waitForSelector("article.finding.r-fail");
  assert.match(await page.textContent("main"), /v=spf1 include:gone\.example\.com/);
  const copy = page.locator("[data-copy]").first();
  await copy.waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0, "a record made an element");
  await accessible(page, "a domain");
  await picture(page, "domain");
  await page.goto(`${base}/domains`);
  assert.match(await page.textContent("main"), /issues/);
  await accessible(page, "the domains");
  await picture(page, "domains");

  step("any domain is checked, and its findings are filtered by keys");
  await page.fill("[name=name]", "example.com");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-report]");
  assert.ok((await page.locator(".gates .chip").count()) >= 6);
  const shown = () => page.locator(".finding:visible").count();
  const all = await shown();
  await page.focus("#show-all");
  await page.keyboard.press("ArrowRight");
  assert.ok(await page.isChecked("#show-fail"));
  assert.match(page.url(), /show=fail/);
  assert.ok((await shown()) < all && (await shown()) >= 1);
  await page.reload();
  assert.ok(await page.isChecked("#show-fail"), "the address keeps what is shown");
  await page.locator(".gates a").first().click();
  assert.ok(await page.isChecked("#show-all"));
  await accessible(page, "a report");
  await page.evaluate(() => scrollTo(0, 0));
  await picture(page, "report");
}

async function reputation({ page, base, step, accessible, picture }) {
  step("who is listed is seen with its code and the way off, and a list that refuses says nothing");
  await page.goto(`${base}/reputation`);
  // One answer lists nobody.
  for (let asked = 0; asked < 3 && !(await page.locator("a.field:has-text('listed')").count()); asked += 1) {
    await page.click("button:text('Check now')");
    await page.waitForURL(`${base}/reputation`);
  }
  const listed = page.locator("a.field", { hasText: "127.0.0.3" });
  assert.match(await listed.getAttribute("aria-label"), /^203\.0\.113\.77 on Spamhaus ZEN: listed 127\.0\.0\.3$/);
  assert.ok((await page.locator("a.field:has-text('refused')").count()) >= 1);
  await accessible(page, "the lists");
  await picture(page, "reputation");
  await listed.click();
  await page.waitForSelector("dialog[open] .listing");
  assert.match(await page.textContent("dialog"), /CSS: it sends spam.*Ask to be taken off/s);
  await accessible(page, "a listing");
  await picture(page, "listing");
  await page.keyboard.press("Escape");
  await page.locator(".matrix thead a", { hasText: "Spamhaus ZEN" }).click();
  await page.waitForURL(/\/reputation\/history\?list=spamhaus-zen/);
  assert.match(await page.textContent("main table"), /still listed/);
  await accessible(page, "listings");
  await page.goto(`${base}/reputation/address?ip=203.0.113.77&helo=mail.example.com`);
  await page.waitForSelector("#BL-01");
  await accessible(page, "an address");
}

const MAIL = `From: News <news@example.com>\r
To: jo@gmail.com\r
Subject: <img src=x onerror=alert(3)> hello\r
Date: Sun, 22 Nov 2026 03:00:00 +0000\r
Message-ID: <1@example.com>\r
\r
Hello\r
`;

async function preflight({ page, base, step, accessible, picture }) {
  step("what mail to a provider lacks is seen with what to do, and any message is checked");
  await page.goto(`${base}/preflight`);
  await page.waitForSelector(".gate-line .finding");
  assert.match(await page.textContent("main"), /IDN-05/);
  await accessible(page, "preflight");
  await picture(page, "preflight");
  await page.locator("button:text('Look again')").first().click();
  await page.waitForSelector("[role=status]");
  await page.click("text=Check a message");
  await page.waitForURL(`${base}/preflight/message`);
  await accessible(page, "the form for a message");
  await page.click("main button.main");
  assert.match(await page.textContent("[role=alert]"), /choose a file, or paste it/);
  await page.setInputFiles("[name=file]", { name: "mail.eml", mimeType: "message/rfc822", buffer: Buffer.from(MAIL) });
  await page.fill("[name=ip]", "203.0.113.77");
  await page.fill("[name=helo]", "mail.example.com");
  await page.fill("[name=mail_from]", "bounces@example.com");
  await page.fill("[name=rcpt]", "jo@gmail.com");
  await page.click("main button.main");
  await page.waitForSelector("[data-report]");
  assert.equal(await page.locator(".gates li").first().locator("b").textContent(), "Gmail");
  assert.ok((await page.locator(".tree li").count()) >= 2, "the SPF record is told term by term");
  assert.match(await page.textContent(".proof"), /Tree walk.*Public suffix list/s);
  await page.focus("#show-all");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.locator(".finding.r-pass:visible").count(), 0);
  await accessible(page, "a message's report");
  await picture(page, "message-check");
}

export async function senders(tools) {
  await domains(tools);
  await reputation(tools);
  await preflight(tools);
}

// The same pages in the dark, or on a phone.
export async function senderForms({ page, base, accessible, picture }, form) {
  for (const [name, address] of [["domains", "/domains"], ["domain", "/domains/example.com"], ["report", "/domains/check?name=example.com"], ["reputation", "/reputation"], ["listings", "/reputation/history"], ["preflight", "/preflight"], ["message-form", "/preflight/message"]]) {
    await page.goto(base + address);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}-${form} is ${wide} pixels too wide`);
    await accessible(page, `${name}-${form}`);
    await picture(page, `${name}-${form}`);
  }
}
