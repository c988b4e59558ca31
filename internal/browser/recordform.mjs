// Records what a browser and a server of pages say to each other while somebody logs in by the form at /login, looks at
// PATH and logs out by the form at /, as HAR:
//
//   node recordform.mjs URL FILE.har NAME PASSWORD PATH
//
// The browser is $CHROMIUM, or chromium.
import { chromium } from "playwright-core";

const [url, file, name, password, path] = process.argv.slice(2);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ recordHar: { path: file, content: "embed", mode: "full" } });
const page = await context.newPage();
page.setDefaultTimeout(20000);
await page.goto(url + path); // and is sent to the form
await page.goto(url + "/login");
await page.fill("[name=username]", name);
await page.fill("[name=password]", password);
await page.click("form button");
await page.waitForURL(url + "/");
for (let i = 0; i < 3; i++) await page.goto(url + path);
await page.goto(url + "/");
await page.click("form button");
await page.waitForURL(url + "/login");
await context.close();
await browser.close();
