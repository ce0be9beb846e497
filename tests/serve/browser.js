// What a person does on the page, in Chromium: `node browser.js ADDRESS CHROMIUM`; prints what it found as JSON.
"use strict";
const { chromium } = require("playwright-core");
const fs = require("fs");

const visit = async (browser, address, width, scheme) => {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme, bypassCSP: true });
  const page = await context.newPage();
  const said = [], asked = new Set();
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.add(request.url().split(/[?#]/)[0]));
  const shown = () => page.waitForSelector("#explanation:not([hidden])");
  const brief = async (part) => {
    await page.waitForFunction((text) => document.getElementById("brief").textContent.includes(text), part);
    return page.textContent("#brief");
  };
  await page.goto(`${address}#program=x%5E2*y&at=x%3D3%2Cy%3D2`);
  await shown();
  const found = { first: await brief("slope in x: 12") };
  await page.fill("#program", "abs(x)*y");
  found.typed = await brief("slope in y: 3");
  await page.locator("#number-x").fill("-4");
  found.slid = await brief("slope in x: -2");
  found.link = page.url();
  await page.waitForFunction(() => !document.getElementById("next").disabled);
  await page.click("#next");
  found.step = await page.textContent("#place");
  found.lit = await page.frameLocator("#explanation").locator("tr[data-arrow]:focus").count();
  await page.fill("#program", "sin(x");
  await page.waitForFunction(() => document.getElementById("error").textContent !== "");
  found.error = await page.textContent("#error");
  await page.goto("about:blank");
  await page.goto(found.link);
  await shown();
  found.shared = await brief("slope in x: -2");
  await page.goto("about:blank");
  await page.goto(`${address}#${new URLSearchParams({ program: "sum(x^2)*log(m, 2)", at: "x=[1,2,3],m=log(256,2)" })}`);
  await shown();
  found.arrays = await brief("value: 42");
  await page.evaluate(() => { location.hash = new URLSearchParams({ program: "x^2", at: "x=4" }); });
  await brief("value: 16");
  await page.evaluate(() => { location.hash = new URLSearchParams({ program: "x^2", at: "x=70" }); });
  await brief("value: 4900");
  found.followed = await page.locator("#inputs input").evaluateAll((inputs) => inputs.map((input) => Number(input.value)));
  let answers = 0;
  page.on("request", (request) => { answers += request.url().includes("what=explain"); });
  await page.evaluate(() => { location.hash = new URLSearchParams({ program: "3y", at: "\uff58=4,x\u2081=2" }); });
  await brief("value: 3");
  await page.waitForTimeout(1000);
  found.answers = answers;
  found.scroll = await page.evaluate(() => document.documentElement.scrollWidth);
  found.violations = [];
  const inner = await context.newPage(); // the explanation, whose frame runs no scripts
  await inner.setContent(await page.$eval("#explanation", (frame) => frame.srcdoc));
  for (const shown of [page, inner]) {
    await shown.evaluate(fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
    found.violations.push(...await shown.evaluate(async () => (await axe.run(document)).violations.map((found) => found.id)));
  }
  await context.close();
  return { ...found, said, asked: [...asked].filter((url) => url !== "about:blank" && !url.startsWith("data:")) };
};

(async () => {
  const [address, executablePath] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const found = [await visit(browser, address, 1200, "light"), await visit(browser, address, 390, "dark")];
  await browser.close();
  console.log(JSON.stringify(found));
})();
