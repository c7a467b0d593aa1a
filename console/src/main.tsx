import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./styles/tokens.css";
import "./styles/base.css";
import "./parts/rows.css";
import { queryClient } from "./api/queries";
import { WordsProvider, wordsReady } from "./i18n";
import { applyTheme, storedTheme } from "./parts/theme";
import { router } from "./router";

applyTheme(storedTheme());
await wordsReady().catch(() => undefined);
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <WordsProvider>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </WordsProvider>
    </StrictMode>,
  );
}
