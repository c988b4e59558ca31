// Records what a browser and a server say to each other while somebody logs in, uses the API beyond the end of an access
// token and logs out, as HAR:
//
//   node record.mjs URL FILE.har EMAIL PASSWORD [PAGE]
//
// URL is a page with the elements of page.html, or PAGE is served there in its place: to a server that has none. The
// browser is $CHROMIUM, or chromium.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, file, email, password, replacement] = process.argv.slice(2);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ recordHar: { path: file, content: "embed", mode: "full" } });
const page = await context.newPage();
page.setDefaultTimeout(20000);
if (replacement) {
  const body = readFileSync(replacement, "utf8");
  await page.route((u) => u.pathname === "/", (route) => route.fulfill({ contentType: "text/html", body }));
}
await page.goto(url);
await page.fill("[name=email]", email);
await page.fill("[name=password]", password);
await page.click("#login");
await page.waitForSelector("body[data-state=in]");
while ((await page.getAttribute("body", "data-refreshes")) === "0") {
  await page.click("#use");
  await page.waitForTimeout(200);
}
await page.click("#use");
await page.waitForTimeout(200);
await page.click("#logout");
await page.waitForSelector("body[data-state=out]");
await context.close();
await browser.close();
