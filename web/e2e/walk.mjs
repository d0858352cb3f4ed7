// Walks the main job in a real browser against a running stack, then looks at
// every page in both languages, both themes and two widths: axe must find
// nothing, no page may scroll sideways, and the console must stay clean.
// Screenshots go to web/test-results/.
//
//   BASE_URL              http://127.0.0.1:3000
//   GUARDA_E2E_EMAIL      admin@localhost
//   GUARDA_E2E_PASSWORD   required
//   CHROME_PATH           /usr/bin/chromium
//   GUARDA_E2E_RESULTS    web/test-results
import { mkdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const base = process.env.BASE_URL ?? "http://127.0.0.1:3000";
const email = process.env.GUARDA_E2E_EMAIL ?? "admin@localhost";
const password = process.env.GUARDA_E2E_PASSWORD;
if (!password) {
  console.error("GUARDA_E2E_PASSWORD is not set: the password of the first administrator");
  process.exit(2);
}
const results = fileURLToPath(
  process.env.GUARDA_E2E_RESULTS
    ? pathToFileURL(`${process.env.GUARDA_E2E_RESULTS}/`)
    : new URL("../test-results/", import.meta.url),
);
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const texts = Object.fromEntries(
  await Promise.all(
    ["pt-BR", "en"].map(async (language) => [
      language,
      JSON.parse(await readFile(new URL(`../src/i18n/${language}.json`, import.meta.url), "utf8")),
    ]),
  ),
);

let passed = 0;
const failures = [];
async function step(name, run) {
  const begin = Date.now();
  try {
    await run();
    passed++;
    console.log(`ok    ${name} (${Date.now() - begin} ms)`);
  } catch (error) {
    failures.push(name);
    console.log(`FAIL  ${name}\n      ${String(error?.message ?? error).replaceAll("\n", "\n      ")}`);
  }
}

function must(condition, message) {
  if (!condition) throw new Error(message);
}

await rm(results, { recursive: true, force: true });
await mkdir(results, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
});

/** A fresh browser with the choices of one reader; `complaints` is what its console said. */
async function reader({ language = "pt-BR", theme = "light", width = 1440 }) {
  const context = await browser.newContext({
    viewport: { width, height: width < 600 ? 844 : 900 },
    deviceScaleFactor: 1,
    hasTouch: width < 600,
    locale: language,
    timezoneId: "America/Sao_Paulo",
    reducedMotion: "reduce",
  });
  await context.addInitScript(
    ([l, t]) => {
      localStorage.setItem("guarda.language", l);
      localStorage.setItem("guarda.theme", t);
    },
    [language, theme],
  );
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  const complaints = [];
  page.on("console", (message) => {
    // A refused request is also reported by the browser itself; pages show it, and the walk asks for it.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  const t = (key, values = {}) => {
    const text = texts[language][key];
    must(text !== undefined, `no text ${key}`);
    return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => values[name] ?? "");
  };
  return { context, page, complaints, t, name: `${language}-${theme}-${width}` };
}

async function signIn(r, path = "/admin/backup") {
  await r.page.goto(base + path);
  await r.page.waitForURL(/\/login\?return=/);
  await r.page.getByLabel(r.t("login.email"), { exact: true }).fill(email);
  await r.page.getByLabel(r.t("login.password"), { exact: true }).fill(password);
  await r.page.getByRole("button", { name: r.t("login.submit") }).click();
  await r.page.waitForURL((url) => url.pathname + url.search === path);
}

async function sendLog(page, entry) {
  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem("guarda.session")).token);
  const answer = await page.request.post(`${base}/api/logs`, {
    headers: { authorization: `Bearer ${token}` },
    data: { source: "walk", ...entry },
  });
  must(answer.ok(), `sending a log entry answered ${answer.status()}: ${await answer.text()}`);
}

/** What every view must hold, and its picture. */
async function inspect(r, view, { region = true } = {}) {
  await r.page.waitForTimeout(250);
  await r.page.evaluate(async () => {
    await document.fonts.ready;
    const ending = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map((a) => a.finished));
  });
  await r.page.screenshot({ path: join(results, `${view}-${r.name}.png`) });
  const sideways = await r.page.evaluate(
    () => document.scrollingElement.scrollWidth - document.documentElement.clientWidth,
  );
  must(sideways <= 0, `${view} is ${sideways} px wider than the screen`);
  await r.page.evaluate(axeSource);
  const found = await r.page.evaluate(async (enabled) => {
    const { violations } = await globalThis.axe.run(document, {
      rules: { region: { enabled } },
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(
      (v) =>
        `${v.id}: ${v.help}\n    ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary?.split("\n")[1] ?? ""}`).join("\n    ")}`,
    );
  }, region);
  must(found.length === 0, `axe on ${view}:\n${found.join("\n")}`);
  must(r.complaints.length === 0, `the console of ${view} says:\n${r.complaints.splice(0).join("\n")}`);
}

async function mainJob() {
  const r = await reader({});
  const { page, t } = r;
  await step("a deep link leads to the login", async () => {
    await page.goto(`${base}/admin/backup/history?status=completed`);
    await page.waitForURL(/\/login\?return=/);
    must(page.url().includes(encodeURIComponent("/admin/backup/history?status=completed")), page.url());
  });
  await step("a wrong password is refused and said", async () => {
    await page.getByLabel(t("login.email"), { exact: true }).fill(email);
    await page.getByLabel(t("login.password"), { exact: true }).fill("not-the-password");
    await page.getByRole("button", { name: t("login.submit") }).click();
    await page.getByRole("alert").waitFor();
    await inspect(r, "login-refused");
  });
  await step("the right one returns to the deep link", async () => {
    await page.getByLabel(t("login.password"), { exact: true }).fill(password);
    await page.getByRole("button", { name: t("login.submit") }).click();
    await page.waitForURL(`${base}/admin/backup/history?status=completed`);
    await page.getByRole("heading", { name: t("history.title") }).waitFor();
  });
  await step("g b leads to the backups", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press("b");
    await page.waitForURL(/\/admin\/backup(\?|$)/);
    await page.getByRole("region", { name: t("source.heading") }).waitFor();
  });
  await step("a reload stays signed in", async () => {
    await page.reload();
    await page.getByRole("region", { name: t("source.heading") }).waitFor();
  });
  let id = "";
  await step("back up now starts a run that shows its progress", async () => {
    await page.getByRole("button", { name: t("action.run_now"), exact: true }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: t("action.run_now") })
      .waitFor();
    await inspect(r, "run-dialog");
    const answer = page.waitForResponse((a) => a.url().endsWith("/api/backup/execute"));
    await page
      .getByRole("dialog")
      .getByRole("button", { name: t("action.run_now") })
      .click();
    const response = await answer;
    must(response.status() === 202 || response.status() === 200, `execute answered ${response.status()}`);
    id = (await response.json()).backup_id;
    must(response.request().headers()["idempotency-key"], "no Idempotency-Key was sent");
    // A small database may be done before the page can show it.
    const progress = page.getByRole("progressbar");
    const seen = await progress.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    );
    if (seen)
      await inspect(r, "running").catch((error) =>
        must(/detached|closed/.test(error.message), error.message),
      );
  });
  await step("the run is complete and in the history", async () => {
    await page.goto(`${base}/admin/backup/history?run=${id}`);
    const dialog = page.getByRole("dialog");
    await dialog
      .getByText(new RegExp(`^(${t("status.completed")}|${t("status.warned")})$`))
      .first()
      .waitFor({ timeout: 180_000 });
    await dialog.getByText(t("detail.phases")).waitFor();
  });
  await step("its detail proves each table", async () => {
    await page.getByRole("tab", { name: t("detail.tables") }).click();
    await page.waitForURL(/view=tables/);
    await page.getByText(t("detail.hash")).first().waitFor();
  });
  await step("its ledger accounts for every object", async () => {
    await page.getByRole("tab", { name: t("detail.ledger") }).click();
    await page.waitForURL(/view=ledger/);
    await page.getByText(t("coverage.counted")).waitFor();
    await page.getByText(t("coverage.groups")).click();
    await page.getByRole("dialog").getByRole("row").nth(5).waitFor();
  });
  await step("its files have links that work", async () => {
    await page.getByRole("tab", { name: t("detail.files") }).click();
    const link = page.getByRole("link", { name: /RESTORE\.md|manifest/ }).first();
    const response = await page.request.get(new URL(await link.getAttribute("href"), base).href);
    must(response.ok(), `the link answered ${response.status()}`);
  });
  await step("Esc closes it; j and Enter open the newest run again", async () => {
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/run=/);
    await page.getByRole("dialog").getByRole("tab").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  });
  await step("a schedule is made, changed, switched off, run and removed", async () => {
    const name = `walk ${Date.now()}`;
    await page.goto(`${base}/admin/backup/manage?edit=new`);
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(t("schedules.name"), { exact: true }).fill(name);
    await dialog.getByLabel(t("schedules.time"), { exact: true }).fill("03:30");
    await dialog.getByLabel(t("schedules.zone"), { exact: true }).fill("Europe/Berlin");
    await dialog.getByText(`${t("schedules.words_daily", { time: "03:30" })} · Europe/Berlin`).waitFor();
    await inspect(r, "schedule-new");
    await dialog.getByRole("button", { name: t("schedules.save") }).click();
    const row = page
      .getByRole("list", { name: t("schedules.list") })
      .getByRole("listitem")
      .filter({ hasText: name });
    await row.getByText(t("schedules.next_runs")).click();
    must((await row.getByRole("listitem").count()) === 5, "there are not five next runs");
    await row.getByRole("button", { name: t("schedules.edit_of", { name }) }).click();
    await dialog.getByRole("combobox", { name: new RegExp(`^${t("schedules.overlap")}`) }).click();
    await page.getByRole("option", { name: t("schedules.overlap_queue") }).click();
    await dialog.getByRole("button", { name: t("schedules.save") }).click();
    await row.getByText(t("schedules.overlap_queue_short")).waitFor();
    await row.getByRole("switch").click();
    await row.getByText(t("schedules.off")).waitFor();
    const answer = page.waitForResponse((a) => /schedules\/[^/]+\/run$/.test(a.url()));
    await row.getByRole("button", { name: t("schedules.run_of", { name }) }).click();
    must((await answer).status() === 202, `running it answered ${(await answer).status()}`);
    await row.getByRole("button", { name: t("schedules.remove_of", { name }) }).click();
    await dialog.getByRole("button", { name: t("schedules.remove"), exact: true }).click();
    await row.waitFor({ state: "hidden" });
  });
  await step("filters are in the address, and nothing matching is said so", async () => {
    await page.goto(`${base}/admin/backup/history?type=differential&period=24h`);
    await page.getByText(t("history.no_match")).waitFor();
    await inspect(r, "no-match");
    await page
      .getByRole("button", { name: t("action.clear_filters") })
      .first()
      .click();
    await page.getByRole("row").nth(1).waitFor();
  });
  await step("a backup that is stopped is shown as stopped", async () => {
    await page.goto(`${base}/admin/backup?dialog=run`);
    const answer = page.waitForResponse((a) => a.url().endsWith("/api/backup/execute"));
    await page
      .getByRole("dialog")
      .getByRole("button", { name: t("action.run_now") })
      .click();
    const run = (await (await answer).json()).backup_id;
    const stop = page.getByRole("button", { name: t("action.cancel_backup"), exact: true });
    // Too fast to be stopped on a quick machine: then it is complete, which is no failure.
    const there = await stop.waitFor({ timeout: 4_000 }).then(
      () => true,
      () => false,
    );
    if (!there) return;
    await stop.click({ timeout: 2_000 }).catch(() => {});
    const confirm = page.getByRole("button", { name: t("cancel.confirm") });
    await confirm.click({ timeout: 2_000 }).catch(() => {});
    await page.goto(`${base}/admin/backup/history?run=${run}`);
    await page
      .getByRole("dialog")
      .getByText(new RegExp(`^(${t("status.canceled")}|${t("status.completed")}|${t("status.warned")})$`))
      .first()
      .waitFor({ timeout: 180_000 });
  });
  const mark = `andorinha${Date.now().toString(36)}`;
  await step("a log entry that is sent is found by its words, with its metadata", async () => {
    await sendLog(page, {
      level: "error",
      message: `A ${mark} não voltou`,
      metadata: { ninho: { galho: 7 } },
    });
    await page.goto(`${base}/admin/logs`);
    await page.getByRole("searchbox").fill(mark);
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(`q=${mark}`));
    await page.locator("mark", { hasText: mark }).first().waitFor();
    await page.getByRole("link", { name: new RegExp(mark) }).click();
    await page.getByText("ninho.galho").waitFor();
    must(page.url().includes(`q=${mark}`), `opening an entry forgot the search: ${page.url()}`);
    await inspect(r, "log-found");
  });
  await step("the live tail shows what comes in", async () => {
    await page.goto(`${base}/admin/logs?live=true&q=${mark}`);
    await page.getByText(t("live.open")).waitFor();
    await sendLog(page, { level: "info", message: `Outra ${mark} chegou` });
    await page.getByRole("link", { name: new RegExp(`Outra ${mark}`) }).waitFor();
  });
  await step("an entry's value becomes a column, and is left out of the search", async () => {
    await page.goto(`${base}/admin/logs?q=${mark}`);
    await page.getByRole("link", { name: new RegExp(`A ${mark} não voltou`) }).click();
    await page.getByRole("button", { name: t("log.column", { name: "ninho.galho" }) }).click();
    await page.waitForURL(/cols=ninho\.galho/);
    await page.getByRole("button", { name: t("logs.remove_column", { name: "ninho.galho" }) }).waitFor();
    await page.getByRole("button", { name: t("log.exclude", { name: "ninho.galho", value: "7" }) }).click();
    await page.waitForURL(/not_meta=/);
    await page.getByRole("link", { name: new RegExp(`Outra ${mark}`) }).waitFor();
    await page.getByRole("link", { name: new RegExp(`A ${mark}`) }).waitFor({ state: "hidden" });
  });
  await step("a fixed range is chosen by the clock", async () => {
    await page.goto(`${base}/admin/logs`);
    await page.getByRole("button", { name: new RegExp(`^${t("logs.range")}:`) }).click();
    await page.getByLabel(t("logs.range_start"), { exact: true }).fill("2026-01-02T03:04");
    await page.getByLabel(t("logs.range_end"), { exact: true }).fill("2026-01-02T04:04");
    await page.getByRole("button", { name: t("logs.range_apply") }).click();
    // São Paulo is three hours behind UTC.
    await page.waitForURL(/start=2026-01-02T06:04:00\.000Z&end=2026-01-02T07:04:00\.000Z/);
  });
  await step("a pattern leads to its entries, and is muted and taken back", async () => {
    await page.goto(`${base}/admin/logs/patterns?range=7d`);
    const list = page.getByRole("list", { name: t("patterns.list") });
    // A list of a fresh stack fills in its first minute.
    await list.getByRole("link").first().waitFor({ timeout: 180_000 });
    await list
      .getByRole("button", { name: new RegExp(`^${t("patterns.mute")}: `) })
      .first()
      .click();
    await page.getByRole("button", { name: t("action.undo") }).click();
    await page.getByText(t("patterns.is_unmuted")).first().waitFor();
    await list.getByRole("link").first().click();
    await page.waitForURL(/\/admin\/logs\?range=7d&pattern=/);
    await page.getByRole("list", { name: t("logs.list") }).waitFor();
  });
  await step("the search is exported as it is, and the file holds it", async () => {
    await page.goto(`${base}/admin/logs?q=${mark}`);
    await page.getByRole("list", { name: t("logs.list") }).waitFor();
    await page.getByRole("link", { name: t("logs.export"), exact: true }).click();
    await page.waitForURL(new RegExp(`/admin/logs/export\\?q=${mark}`));
    await page.getByRole("radio", { name: /^NDJSON/ }).check();
    const answer = page.waitForResponse((a) => a.url().endsWith("/api/logs/export"));
    await page.getByRole("button", { name: t("export.submit_count_other", { formatted: "2" }) }).click();
    const { file_name: name } = await (await answer).json();
    const link = page.getByRole("link", { name: t("export.download_of", { name }) });
    await link.waitFor({ timeout: 180_000 });
    const file = await page.request.get(new URL(await link.getAttribute("href"), base).href);
    must(file.ok(), `the link answered ${file.status()}`);
    const lines = (await file.text()).trim().split("\n");
    must(
      lines.length === 2 && lines.every((line) => line.includes(mark)),
      `the file has ${lines.length} lines`,
    );
  });
  await step("a session's entries are counted, erased, and found no more", async () => {
    const session = `${mark}-session`;
    for (const n of [1, 2]) {
      await sendLog(page, { level: "info", message: `${n} da ${session}`, session_id: session });
    }
    await page.goto(`${base}/admin/logs/erasures`);
    await page.getByLabel(t("erasures.session"), { exact: true }).fill(session);
    await page.getByRole("button", { name: t("erasures.find") }).click();
    await page.getByText(t("logs.entries_other", { formatted: "2" }), { exact: true }).waitFor();
    await inspect(r, "erasure-counted");
    await page.getByRole("button", { name: t("erasures.erase") }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel(t("erasures.reason"), { exact: true }).fill(mark);
    await dialog.getByLabel(t("erasures.type_word", { word: t("erasures.word") })).fill(t("erasures.word"));
    await inspect(r, "erasure-dialog");
    await dialog.getByRole("button", { name: t("erasures.erase_now") }).click();
    const row = page.getByRole("listitem").filter({ hasText: mark });
    await row.waitFor();
    // The keeper comes by each minute.
    await row.getByText(t("erasures.erased_other", { formatted: "2" })).waitFor({ timeout: 150_000 });
    await page.goto(`${base}/admin/logs?session=${session}`);
    await page.getByText(t("logs.no_match")).waitFor();
  });
  await step("a database becomes strict, which its ledger says, and back", async () => {
    const flip = async () => {
      await page.goto(`${base}/admin/settings/sources`);
      await page.getByRole("button", { name: t("schedules.edit_of", { name: "shop" }) }).click();
      await page.getByRole("dialog").getByLabel(t("source_dialog.strict"), { exact: true }).click();
      await page
        .getByRole("dialog")
        .getByRole("button", { name: t("schedules.save") })
        .click();
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    };
    await flip();
    await page.getByText(t("sources.strict")).first().waitFor();
    await page.goto(`${base}/admin/backup?dialog=run`);
    const answer = page.waitForResponse((a) => a.url().endsWith("/api/backup/execute"));
    await page
      .getByRole("dialog")
      .getByRole("button", { name: t("action.run_now") })
      .click();
    const run = (await (await answer).json()).backup_id;
    await page.goto(`${base}/admin/backup/history?run=${run}&view=ledger`);
    await page.getByRole("dialog").getByText(t("coverage.strict")).waitFor({ timeout: 60_000 });
    await flip();
    await page.getByText(t("sources.not_strict")).first().waitFor();
  });
  await step("settings of logs are changed, saved and put back", async () => {
    await page.goto(`${base}/admin/settings/logs`);
    const limit = page.getByLabel(t("log_settings.limit_label"));
    const before = await limit.inputValue();
    for (const value of ["777777", before]) {
      await limit.fill(value);
      await page.getByRole("button", { name: t("log_settings.save"), exact: true }).click();
      await page.getByText(t("log_settings.saved")).first().waitFor();
      await page.reload();
      await page.getByLabel(t("log_settings.limit_label")).waitFor();
      must((await limit.inputValue()) === value, `the limit is ${await limit.inputValue()}`);
    }
  });
  await step("an API key is made, works, and is revoked", async () => {
    await page.goto(`${base}/admin/settings/access?new=true`);
    const name = `walk ${Date.now()}`;
    await page.getByLabel(t("access.name"), { exact: true }).fill(name);
    await page.getByRole("button", { name: t("access.make") }).click();
    const key = await page.getByRole("dialog").locator("code").textContent();
    const send = () =>
      page.request.post(`${base}/api/logs`, {
        headers: { "x-api-key": key },
        data: { level: "info", source: "walk", message: name },
      });
    const sent = await send();
    must(sent.ok(), `the key's request was answered ${sent.status()}`);
    await page.getByRole("button", { name: t("access.made_done") }).click();
    await page.getByRole("button", { name: t("access.revoke_of", { name }) }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: t("access.revoke"), exact: true })
      .click();
    await page.getByText(t("access.revoked", { name })).first().waitFor();
    const refused = await send();
    must(refused.status() === 401, `the revoked key was answered ${refused.status()}`);
  });
  await step("signing out leads to the login", async () => {
    await page.goto(`${base}/admin/backup`);
    await page.getByRole("button", { name: t("shell.account") }).click();
    await page.getByRole("menuitem", { name: t("action.sign_out") }).click();
    await page.waitForURL(/\/login/);
  });
  await r.context.close();
}

/** Something for the pictures: a schedule that has all there is to see. */
async function furnish() {
  const answer = await fetch(`${base}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const { token } = await answer.json();
  const made = await fetch(`${base}/api/backup/schedules`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({
      name: "Horário comercial, com um nome comprido o bastante para não caber numa linha do celular",
      cron_expression: "*/30 8-18 * * 1-5",
      backup_type: "incremental",
      active: false,
      configuration: { timezone: "America/Sao_Paulo", overlap: "queue", tables: ["public.*"] },
    }),
  });
  must(made.ok, `making a schedule answered ${made.status}`);
}

async function everyView(language, theme, width) {
  const r = await reader({ language, theme, width });
  const { page, t } = r;
  const view = (name, open, options) =>
    step(`${name} ${r.name}`, async () => {
      await open();
      await inspect(r, name, options);
    });
  await view("login", async () => {
    await page.goto(`${base}/login`);
    await page.getByRole("button", { name: t("login.submit") }).waitFor();
  });
  await step(`sign in ${r.name}`, () => signIn(r));
  await view("backup", () => page.getByRole("region", { name: t("source.heading") }).waitFor());
  await view("palette", async () => {
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
  });
  await view("keys", async () => {
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
  });
  await view("run-dialog", async () => {
    await page.goto(`${base}/admin/backup?dialog=run`);
    await page.getByRole("dialog").waitFor();
  });
  await view("source-dialog", async () => {
    await page.goto(`${base}/admin/backup?dialog=source`);
    await page.getByRole("dialog").waitFor();
  });
  await view(
    "account",
    async () => {
      await page.goto(`${base}/admin/backup`);
      await page.getByRole("button", { name: t("shell.account") }).click();
      await page.getByRole("menu").waitFor();
      // A menu is drawn over the page, in no landmark of its own.
    },
    { region: false },
  );
  await view("schedules", async () => {
    await page.goto(`${base}/admin/backup/manage`);
    await page
      .getByText(t("schedules.none"))
      .or(page.getByRole("list", { name: t("schedules.list") }))
      .first()
      .waitFor();
  });
  await view("schedule-new", async () => {
    await page.goto(`${base}/admin/backup/manage?edit=new`);
    await page.getByRole("dialog").waitFor();
    // Taller than a phone: its beginning must be in sight or within reach.
    const heading = page.getByRole("dialog").getByRole("heading");
    await heading.scrollIntoViewIfNeeded();
    must((await heading.boundingBox()).y >= 0, "the dialog's title is above the screen, out of reach");
  });
  await view("history", async () => {
    await page.goto(`${base}/admin/backup/history`);
    await page.getByRole("row").nth(1).waitFor();
  });
  await view("detail", async () => {
    await page
      .getByRole("link", { name: new RegExp(`, (${t("status.completed")}|${t("status.warned")}), `) })
      .first()
      .click();
    await page.getByRole("dialog").getByText(t("detail.phases")).waitFor();
  });
  await view("detail-tables", async () => {
    await page.getByRole("tab", { name: t("detail.tables") }).click();
  });
  await view("detail-ledger", async () => {
    await page.getByRole("tab", { name: t("detail.ledger") }).click();
    await page.getByText(t("coverage.counted")).waitFor();
  });
  await view("detail-files", async () => {
    await page.getByRole("tab", { name: t("detail.files") }).click();
    await page.waitForTimeout(600);
  });
  await view("logs", async () => {
    await page.goto(`${base}/admin/logs`);
    await page
      .getByRole("list", { name: t("logs.list") })
      .getByRole("link")
      .first()
      .waitFor();
  });
  await view("log-detail", async () => {
    await page
      .getByRole("list", { name: t("logs.list") })
      .getByRole("link")
      .first()
      .click();
    await page
      .getByText(t("log.metadata"))
      .or(page.getByText(t("log.id")))
      .first()
      .waitFor();
  });
  await view("log-range", async () => {
    await page.goto(`${base}/admin/logs`);
    await page.getByRole("button", { name: new RegExp(`^${t("logs.range")}:`) }).click();
    await page.getByLabel(t("logs.range_start"), { exact: true }).waitFor();
  });
  await view("patterns", async () => {
    await page.goto(`${base}/admin/logs/patterns`);
    await page
      .getByRole("list", { name: t("patterns.list") })
      .getByRole("link")
      .first()
      .waitFor();
  });
  await view("pattern-detail", async () => {
    await page
      .getByRole("link", { name: new RegExp(`^${t("patterns.details_of", { template: "" })}`) })
      .first()
      .click();
    await page.getByRole("dialog").getByText(t("patterns.usual")).waitFor();
  });
  await view("patterns-no-match", async () => {
    await page.goto(`${base}/admin/logs/patterns?q=nothing-has-this`);
    await page.getByText(t("patterns.no_match")).waitFor();
  });
  await view("export", async () => {
    await page.goto(`${base}/admin/logs/export?level=info&format=pdf`);
    await page.getByText(/\d/).first().waitFor();
    await page
      .getByRole("region", { name: t("export.files") })
      .getByRole("listitem")
      .first()
      .waitFor();
  });
  await view("erasures", async () => {
    await page.goto(`${base}/admin/logs/erasures`);
    await page
      .getByRole("region", { name: t("erasures.record") })
      .getByRole("listitem")
      .first()
      .waitFor();
  });
  await view("settings-sources", async () => {
    await page.goto(`${base}/admin/settings/sources`);
    await page.getByRole("list", { name: t("sources.list") }).waitFor();
  });
  await view("settings-sources-edit", async () => {
    await page
      .getByRole("button", { name: t("schedules.edit_of", { name: "shop" }) })
      .first()
      .click();
    await page.getByRole("dialog").getByLabel(t("source_dialog.jobs")).waitFor();
  });
  await view("settings-logs", async () => {
    await page.goto(`${base}/admin/settings/logs`);
    await page.getByLabel(t("log_settings.limit_label")).waitFor();
  });
  await view("settings-access", async () => {
    await page.goto(`${base}/admin/settings/access`);
    await page.getByRole("listitem").filter({ hasText: "gk_" }).first().waitFor();
  });
  await view("settings-access-new", async () => {
    await page.goto(`${base}/admin/settings/access?new=true`);
    await page.getByRole("dialog").waitFor();
  });
  await view("not-found", async () => {
    await page.goto(`${base}/admin/nowhere`);
    await page.getByRole("heading", { name: t("not_found.title") }).waitFor();
  });
  if (width < 768) {
    await view("navigation", async () => {
      await page.getByRole("button", { name: t("shell.open_navigation") }).click();
      await page
        .getByRole("dialog")
        .getByRole("link", { name: t("page.history") })
        .waitFor();
    });
  }
  await r.context.close();
}

try {
  await mainJob();
  await step("a schedule is there for the pictures", furnish);
  for (const width of [1440, 390]) {
    for (const theme of ["light", "dark"]) {
      for (const language of ["pt-BR", "en"]) await everyView(language, theme, width);
    }
  }
} finally {
  await browser.close();
}
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length ? 1 : 0;
