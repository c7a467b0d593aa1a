// What the links of letters open, without signing in: a developer address says yes, and ends or resumes letters that are
// not about security. The code stands behind `#` and never reaches a server's log.
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { useWords } from "../i18n";
import { Banner, Button } from "../parts/controls";
import { ErrorBanner } from "../parts/problem";
import { Door } from "./sign-in";

const useCode = () => useState(() => window.location.hash.slice(1))[0];

export function ConfirmAddress() {
  const { t } = useWords();
  const code = useCode();
  const run = useMutation({ mutationFn: () => data(api.POST("/api/v1/addresses/confirm", { body: { code } })) });
  return (
    <Door title={t("confirm")} lead={run.data ? undefined : t("confirm.lead")}>
      {code ? <ErrorBanner error={run.error} /> : <Banner tone="bad">{t("confirm.code.missing")}</Banner>}
      {run.data ? (
        <Banner tone="ok" icon="check">{t("confirm.done", { email: run.data.email, account: run.data.account })}</Banner>
      ) : (
        <>
          <Button look="primary" busy={run.isPending} isDisabled={!code} onPress={() => run.mutate()}>{t("confirm.do")}</Button>
          <p className="help">{t("confirm.no")}</p>
        </>
      )}
    </Door>
  );
}

export function Unsubscribe() {
  const { t } = useWords();
  const code = useCode();
  const run = useMutation({
    mutationFn: (subscribe: boolean) =>
      subscribe ? data(api.POST("/api/v1/addresses/resubscribe", { body: { code } })) : data(api.POST("/api/v1/addresses/unsubscribe", { body: { code } })),
  });
  const now = run.data;
  return (
    <Door title={t("unsubscribe")} lead={now ? undefined : t("unsubscribe.lead")}>
      {code ? <ErrorBanner error={run.error} /> : <Banner tone="bad">{t("confirm.code.missing")}</Banner>}
      {now ? <Banner tone="ok" icon="check">{t(now.subscribed ? "unsubscribe.again" : "unsubscribe.done", { email: now.email })}</Banner> : null}
      {now && !now.subscribed ? (
        <Button busy={run.isPending} onPress={() => run.mutate(true)}>{t("unsubscribe.back")}</Button>
      ) : (
        <Button look={now ? "" : "primary"} busy={run.isPending} isDisabled={!code} onPress={() => run.mutate(false)}>{t("unsubscribe.do")}</Button>
      )}
    </Door>
  );
}
