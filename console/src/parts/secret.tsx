// The Auth Token: masked, shown or copied after the password, and masked again after 30 seconds or when the page is
// hidden. The secret lives in this component's state and nowhere else.
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import { Form } from "react-aria-components";
import { ApiError, api, data } from "../api/client";
import { queryClient, sessionQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Button, CopyButton, Dialog, Field } from "./controls";
import { useAccount } from "./current";
import { ErrorBanner } from "./problem";

const SHOWN_MS = 30_000;
const MASK = "•".repeat(38);

export function PasswordAgain({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const { t } = useWords();
  const [password, setPassword] = useState("");
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/session/password", { body: { password } })),
    onSuccess(session) {
      queryClient.setQueryData(sessionQuery.queryKey, session);
      onDone();
    },
  });
  return (
    <Dialog
      title={t("again")}
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t("cancel")}</Button>
          <Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{t("continue")}</Button>
        </>
      }
    >
      <ErrorBanner error={run.error} />
      <p>{t("again.why")}</p>
      <Form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          run.mutate();
        }}
      >
        <Field label={t("password")} type="password" autoComplete="current-password" value={password} onChange={setPassword} autoFocus />
      </Form>
    </Dialog>
  );
}

/** `reveal` asks the server; `last4` is all that is known before. */
export function SecretField({ reveal, last4, recoverable, label }: { reveal: () => Promise<{ secret: string }>; last4: string; recoverable: boolean; label?: string }) {
  const { t } = useWords();
  const { may, operator } = useAccount();
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [asking, setAsking] = useState<((go: boolean) => void) | null>(null);
  const asked = useRef<((go: boolean) => void) | null>(null);
  useEffect(() => {
    if (secret === null) return undefined;
    const hide = () => setSecret(null);
    const timer = window.setTimeout(hide, SHOWN_MS);
    const hidden = () => document.hidden && hide();
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("pagehide", hide);
    return () => {
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", hidden);
      window.removeEventListener("pagehide", hide);
    };
  }, [secret]);
  useEffect(() => () => asked.current?.(false), []);
  const fetchSecret = useCallback(async (): Promise<string | null> => {
    setError(null);
    try {
      return (await reveal()).secret;
    } catch (failure) {
      if (failure instanceof ApiError && failure.code === "password_required") {
        const go = await new Promise<boolean>((answer) => {
          asked.current = answer;
          setAsking(() => answer);
        });
        asked.current = null;
        setAsking(null);
        if (!go) return null;
        try {
          return (await reveal()).secret;
        } catch (again) {
          setError(again);
          return null;
        }
      }
      setError(failure);
      return null;
    }
  }, [reveal]);
  const allowed = may("secrets.reveal") && recoverable;
  const name = label ?? t("authToken");
  return (
    <div className="field">
      <span className="label">{name}</span>
      <div className="secret">
        {secret === null ? (
          <code className="mask">
            <span className="sr">{t("secret.hidden")}</span>
            <span aria-hidden="true">{MASK}{last4}</span>
          </code>
        ) : (
          <code>{secret}</code>
        )}
        {allowed ? (
          <>
            <Button
              small
              icon="eye"
              aria-label={secret === null ? t("secret.reveal.label", { what: name }) : t("secret.hide.label", { what: name })}
              aria-pressed={secret !== null}
              onPress={() => (secret === null ? void fetchSecret().then(setSecret) : setSecret(null))}
            >
              <span className="tx">{secret === null ? t("secret.reveal") : t("secret.hide")}</span>
            </Button>
            <CopyButton what={name} text={secret ?? fetchSecret} />
          </>
        ) : null}
      </div>
      <p className="help">
        {!recoverable ? t("secret.once") : operator ? t("secret.operator") : allowed ? t("secret.rules") : t("secret.role")}
      </p>
      <ErrorBanner error={error} />
      {asking ? <PasswordAgain onClose={() => asking(false)} onDone={() => asking(true)} /> : null}
    </div>
  );
}
