import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";
import { startI18n } from "@/i18n";

beforeEach(async () => {
  localStorage.clear();
  sessionStorage.clear();
  await startI18n("pt-BR");
});
afterEach(cleanup);
