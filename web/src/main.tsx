import "./styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter } from "react-router";
import { App, routes } from "./app/app";
import { createServices } from "./app/services";
import { startI18n } from "./i18n";
import { followTheme } from "./prefs/theme";

followTheme();
await startI18n();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App services={createServices()} router={createBrowserRouter(routes)} />
  </StrictMode>,
);
