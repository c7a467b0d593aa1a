// Getting in: sign-in, the first operator of an installation, and the invitation behind a one-time link.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { Form } from "react-aria-components";
import { type Session, api, data } from "../api/client";
import { bootstrapQuery, queryClient, sessionQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Field } from "../parts/controls";
import { Mark } from "../parts/icon";
import { ErrorBanner, fieldText } from "../parts/problem";
import "./sign-in.css";

export const PASSWORD_LEAST = 15;

export function Door({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  const { t, language, setLanguage } = useWords();
  useEffect(() => {
    document.title = `${title} · Countersign`;
  }, [title]);
  return (
    <main className="door" id="main">
      <div className="door-in">
        <p className="brandmark">
          <Mark />
          <span>{t("brand")}</span>
        </p>
        <div className="card pad stack">
          <div>
            <h1>{title}</h1>
            {lead ? <p className="muted lead">{lead}</p> : null}
          </div>
          {children}
        </div>
        <div className="door-foot">
          <Button look="link" onPress={() => setLanguage(language === "en" ? "zh-CN" : "en")}>
            {language === "en" ? t("language.zh") : t("language.en")}
          </Button>
        </div>
      </div>
    </main>
  );
}

const insecure = () => window.location.protocol === "http:" && !/^(localhost|127\.|\[::1\])/.test(window.location.hostname);

function enter(session: Session, setLanguage: (language: "en" | "zh-CN") => void) {
  queryClient.clear();
  queryClient.setQueryData(sessionQuery.queryKey, session);
  setLanguage(session.person.language === "zh-CN" ? "zh-CN" : "en");
}

export function SignIn() {
  const { t, setLanguage } = useWords();
  const navigate = useNavigate();
  const { to } = useSearch({ from: "/sign-in" });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const bootstrap = useQuery(bootstrapQuery);
  const submit = useMutation({
    mutationFn: () => data(api.POST("/api/v1/session", { body: { email: email.trim(), password } })),
    onSuccess(session) {
      enter(session, setLanguage);
      // Only ever an address of this console: a path with one slash in front.
      void navigate({ href: to && /^\/(?![/\\])/.test(to) ? to : "/", replace: true });
    },
  });
  return (
    <Door title={t("signIn")} lead={t("signIn.lead")}>
      {insecure() ? <Banner tone="bad">{t("signIn.insecure")}</Banner> : null}
      {bootstrap.data?.open ? (
        <Banner icon="person">
          {t("bootstrap.open")} <Link to="/bootstrap">{t("bootstrap.go")}</Link>
        </Banner>
      ) : null}
      <ErrorBanner error={submit.error} />
      <Form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          submit.mutate();
        }}
      >
        <Field label={t("email")} type="email" name="email" autoComplete="username" value={email} onChange={setEmail} required autoFocus />
        <Field label={t("password")} type="password" name="password" autoComplete="current-password" value={password} onChange={setPassword} required />
        <Button look="primary" type="submit" busy={submit.isPending} isDisabled={insecure()}>
          {t("signIn")}
        </Button>
      </Form>
      <p className="help">{t("signIn.forgotten")}</p>
    </Door>
  );
}

/** What a refusal says of each field that is there, and what is left for above them. */
function useOwnFields(error: unknown, fields: readonly string[]) {
  const words = useWords();
  const own = (name: string) => fieldText(words, error, name);
  return { own, rest: fields.some((name) => own(name) !== undefined) ? null : error };
}

export function Bootstrap() {
  const { t, language, setLanguage } = useWords();
  const navigate = useNavigate();
  const [code, setCode] = useState(() => window.location.hash.slice(1));
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const bootstrap = useQuery(bootstrapQuery);
  const submit = useMutation({
    mutationFn: () => data(api.POST("/api/v1/bootstrap", { body: { code: code.trim(), name, email: email.trim(), password, language } })),
    onSuccess(session) {
      enter(session, setLanguage);
      void navigate({ to: "/", replace: true });
    },
  });
  const { own, rest } = useOwnFields(submit.error, ["code", "name", "email", "password"]);
  if (bootstrap.data && !bootstrap.data.open) {
    return (
      <Door title={t("bootstrap")} lead={t("bootstrap.closed")}>
        <Link to="/sign-in" className="btn primary">
          {t("signIn")}
        </Link>
      </Door>
    );
  }
  return (
    <Door title={t("bootstrap")} lead={t("bootstrap.lead")}>
      <ErrorBanner error={rest} />
      <Form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          submit.mutate();
        }}
      >
        <Field label={t("bootstrap.code")} value={code} onChange={setCode} help={t("bootstrap.code.help")} error={own("code")} required mono />
        <Field label={t("name")} autoComplete="name" value={name} onChange={setName} error={own("name")} required />
        <Field label={t("email")} type="email" autoComplete="username" value={email} onChange={setEmail} error={own("email")} required />
        <Field label={t("password.new")} type="password" autoComplete="new-password" value={password} onChange={setPassword} help={t("password.rules", { least: PASSWORD_LEAST })} error={own("password")} required />
        <Button look="primary" type="submit" busy={submit.isPending}>
          {t("bootstrap.submit")}
        </Button>
      </Form>
    </Door>
  );
}

export function AcceptInvitation() {
  const { t, language, setLanguage } = useWords();
  const navigate = useNavigate();
  const [code, setCode] = useState(() => window.location.hash.slice(1));
  const [linked] = useState(() => window.location.hash.length > 1);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submit = useMutation({
    mutationFn: () =>
      data(api.POST("/api/v1/invitations/accept", { body: { code: code.trim(), password, language, ...(name.trim() ? { name: name.trim() } : {}) } })),
    onSuccess(session) {
      enter(session, setLanguage);
      void navigate({ to: "/", replace: true });
    },
  });
  const { own, rest } = useOwnFields(submit.error, linked ? ["name", "password"] : ["code", "name", "password"]);
  return (
    <Door title={t("invitation")} lead={t("invitation.lead")}>
      <ErrorBanner error={rest} />
      <Form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          submit.mutate();
        }}
      >
        {linked ? null : <Field label={t("invitation.code")} value={code} onChange={setCode} error={own("code")} required mono />}
        <Field label={t("name")} autoComplete="name" value={name} onChange={setName} help={t("invitation.name")} error={own("name")} />
        <Field label={t("password")} type="password" autoComplete="new-password" value={password} onChange={setPassword} help={t("password.rules", { least: PASSWORD_LEAST })} error={own("password")} required />
        <Button look="primary" type="submit" busy={submit.isPending}>
          {t("invitation.submit")}
        </Button>
      </Form>
    </Door>
  );
}
