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

export async function senders(tools) {
  await domains(tools);
}

// The same pages in the dark, or on a phone.
export async function senderForms({ page, base, accessible, picture }, form) {
  for (const [name, address] of [["domains", "/domains"], ["domain", "/domains/example.com"], ["report", "/domains/check?name=example.com"]]) {
    await page.goto(base + address);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}-${form} is ${wide} pixels too wide`);
    await accessible(page, `${name}-${form}`);
    await picture(page, `${name}-${form}`);
  }
}
