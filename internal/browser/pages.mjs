// Uses the pages of the proxy and of the test server as a person does, in a light and a dark browser, and prints what it
// found as JSON:
//
//   node pages.mjs proxy URL        looks, tries what other pages might, and logs out
//   node pages.mjs testserver URL   looks, and presses buttons
//
// The browser is $CHROMIUM, or chromium. With $SHOTS it keeps pictures in that folder.
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const [what, url] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const found = { complaints: [], requests: [] };

// open opens a page and notes what the browser complains of, and what the page asks elsewhere.
async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") found.complaints.push(m.text()); });
  page.on("pageerror", (e) => found.complaints.push(e.message));
  page.on("request", (r) => { if (!r.url().startsWith(url) && !r.url().startsWith("data:")) found.requests.push(r.url()); });
  await page.goto(url + path);
  return page;
}

// shoot keeps a picture, and says whether everything fits the page's width.
async function shoot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: process.env.SHOTS + "/" + name + ".png", fullPage: true });
  return page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
}

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

// attempt is what a script of the page gets from a request: a status, or that the browser did not let it.
const attempt = (page, target, init) => page.evaluate(([t, i]) => fetch(t, i).then((r) => r.status, () => "blocked"), [target, init ?? {}]);

// look opens the page in both schemes, and as narrow as on a telephone.
async function look(path, ready) {
  found.fits = [];
  const grounds = [];
  for (const [name, options] of Object.entries({
    light: { colorScheme: "light" }, dark: { colorScheme: "dark" }, narrow: { colorScheme: "dark", viewport: { width: 380, height: 800 } },
  })) {
    const page = await open(path, options);
    await page.waitForSelector(ready);
    grounds.push(await ground(page));
    found.fits.push(await shoot(page, what + "-" + name));
    await page.context().close();
  }
  found.schemes = new Set(grounds).size;
}

async function proxy() {
  const state = (s) => `body[data-state="${s}"]`;
  await look("/_silentrefresh/", state("logged in"));
  const page = await open("/_silentrefresh/");
  await page.waitForSelector(state("logged in"));
  found.pill = await page.textContent("#state");
  found.marks = await page.locator("#log li").count();
  found.circles = await page.locator("#axis circle").count();
  found.results = await page.textContent("#results");

  // A page of the server's, which comes through the proxy and is of the same origin.
  const through = await open("/echo");
  found.through = {
    page: await attempt(through, "/_silentrefresh/"), state: await attempt(through, "/_silentrefresh/state"),
    logout: await attempt(through, "/_silentrefresh/logout", { method: "POST" }),
    frame: await through.evaluate(() => new Promise((done) => {
      const f = document.createElement("iframe");
      f.onload = () => { try { done(f.contentDocument?.querySelector("meta[name=token]") ? "readable" : "empty"); } catch { done("blocked"); } };
      f.src = "/_silentrefresh/";
      document.body.append(f);
    })),
    window: await through.evaluate(() => new Promise((done) => {
      const w = window.open("/_silentrefresh/");
      setTimeout(() => { try { done(w?.document?.querySelector("meta[name=token]") ? "readable" : "empty"); } catch { done("blocked"); } }, 1500);
    })),
  };

  // A page of another origin.
  const server = createServer((_, response) => response.setHeader("Content-Type", "text/html").end("<!doctype html><title>other</title>")).listen(0, "127.0.0.1");
  const other = await (await browser.newContext()).newPage();
  await other.goto("http://127.0.0.1:" + server.address().port);
  found.other = {
    state: await attempt(other, url + "/_silentrefresh/state"), logout: await attempt(other, url + "/_silentrefresh/logout", { method: "POST", mode: "no-cors" }),
  };
  server.close();
  found.complaints = found.complaints.filter((c) => !/403|frame|Failed to load resource|Framing/.test(c)); // of the attempts

  await page.waitForSelector(state("logged in"));
  await page.click("#logout");
  await page.click("#stay");
  found.stayed = await page.getAttribute("body", "data-state");
  await page.click("#logout");
  await page.click("#leave");
  await page.waitForSelector(state("no session"));
  found.after = { pill: await page.textContent("#state"), do: await page.textContent("#do"), open: await page.locator("#sure[open]").count() };
  await shoot(page, "proxy-after");
}

async function testserver() {
  await look("/_test/", `body[data-outage=""]`);
  const page = await open("/_test/");
  await page.waitForSelector(`body[data-outage=""]`);
  found.url = await page.textContent("#url");
  await page.fill("#down [name=for]", "50s");
  await page.click("[data-press=down]");
  await page.waitForSelector("body[data-outage=unavailable]");
  found.outage = await page.textContent("#outage");
  found.said = await page.textContent("#said");
  await page.click("[data-press=up]");
  await page.waitForSelector(`body[data-outage=""]`);
  await page.selectOption("#fault [name=kind]", "status");
  await page.check("#fault [name=commit]");
  await page.click("[data-press=fault]");
  await page.waitForFunction(() => document.getElementById("said").textContent.startsWith("Done: Arm"));
  await page.fill("#sleep [name=for]", "soon");
  await page.press("#sleep [name=for]", "Enter");
  await page.waitForFunction(() => document.getElementById("said").textContent.includes("such as 5s"));
  found.complaints = found.complaints.filter((c) => !c.includes("400")); // of the mistake
  await page.click("[data-press=end]");
  await page.waitForFunction(() => document.getElementById("said").textContent.startsWith("Done: End"));
  await page.waitForFunction(() => document.querySelectorAll("#log li").length >= 5);
  found.log = await page.locator("#log li").count();
}

await { proxy, testserver }[what]();
await browser.close();
console.log(JSON.stringify(found));
