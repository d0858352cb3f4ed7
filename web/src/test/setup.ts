import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";
import { startI18n } from "@/i18n";

// Pages are fetched when opened, and the machine may be busy with a database.
configure({ asyncUtilTimeout: 60_000 });

beforeEach(async () => {
  localStorage.clear();
  sessionStorage.clear();
  await startI18n("pt-BR");
});
afterEach(cleanup);
