// The signed-in person: name, language, theme, password, sessions.
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Form } from "react-aria-components";
import { api, data } from "../api/client";
import { queryClient, sessionQuery, sessionsQuery } from "../api/queries";
import { type Language, useWords } from "../i18n";
import { Button, Chip, Choice, Field } from "../parts/controls";
import { useSession } from "../parts/current";
import { ThemeChoice } from "../parts/frame";
import { tell } from "../parts/receipt";
import { ErrorBanner, fieldText } from "../parts/problem";
import { Section } from "../parts/section";
import { Failed, Loading, When } from "../parts/states";
import { useTitle } from "../parts/title";
import { PASSWORD_LEAST } from "./sign-in";

export function Profile() {
  const { t, language, setLanguage } = useWords();
  const { person, memberships, operator } = useSession();
  useTitle(t("profile"));
  const [name, setName] = useState(person.name);
  const save = useMutation({
    mutationFn: (body: { name?: string; language?: Language }) => data(api.PATCH("/api/v1/profile", { body })),
    async onSuccess() {
      await queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
      tell(t("done.update"));
    },
  });
  return (
    <main className="page medium" id="main">
      <div className="head"><div><h1>{t("profile")}</h1><p className="muted lead">{person.email}</p></div></div>
      {memberships.length === 0 && !operator ? <p className="help block">{t("profile.alone")}</p> : null}
      <div className="card">
        <Section title={t("profile.you")} what={t("profile.you.what")}>
            <ErrorBanner error={save.error} />
            <Field label={t("name")} value={name} onChange={setName} autoComplete="name" maxLength={100} />
            <div><Button isDisabled={name.trim() === person.name || !name.trim()} busy={save.isPending} onPress={() => save.mutate({ name: name.trim() })}>{t("update")}</Button></div>
            <Choice
              label={t("language")}
              value={language}
              onChange={(next) => {
                setLanguage(next as Language);
                save.mutate({ language: next as Language });
              }}
              options={[{ id: "en", label: t("language.en") }, { id: "zh-CN", label: t("language.zh") }]}
              help={t("language.help")}
            />
            <div className="field"><span className="label">{t("theme")}</span><ThemeChoice /></div>
        </Section>
        <Password />
        <Sessions />
      </div>
    </main>
  );
}

function Password() {
  const words = useWords();
  const { t } = words;
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const run = useMutation({
    mutationFn: () => data(api.PUT("/api/v1/profile/password", { body: { current, new: next } })),
    onSuccess(session) {
      queryClient.setQueryData(sessionQuery.queryKey, session);
      void queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
      setCurrent("");
      setNext("");
      tell(t("password.done"));
    },
  });
  const own = (field: string) => fieldText(words, run.error, field);
  return (
    <Section title={t("password")} what={t("password.what")}>
      <Form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          run.mutate();
        }}
      >
        {run.error && !own("current") && !own("new") ? <ErrorBanner error={run.error} /> : null}
        <Field label={t("password.current")} type="password" autoComplete="current-password" value={current} onChange={setCurrent} error={own("current")} />
        <Field label={t("password.new")} type="password" autoComplete="new-password" value={next} onChange={setNext} help={t("password.rules", { least: PASSWORD_LEAST })} error={own("new")} />
        <div><Button type="submit" busy={run.isPending} isDisabled={!current || Array.from(next).length < PASSWORD_LEAST}>{t("password.change")}</Button></div>
      </Form>
    </Section>
  );
}

function Sessions() {
  const { t } = useWords();
  const list = useQuery(sessionsQuery);
  const rows = list.data?.items ?? [];
  const renew = () => queryClient.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const end = useMutation({
    mutationFn: (session_id: string) => api.DELETE("/api/v1/sessions/{session_id}", { params: { path: { session_id } } }),
    onSuccess: renew,
  });
  const others = useMutation({ mutationFn: () => api.DELETE("/api/v1/sessions"), onSuccess: renew });
  return (
    <Section title={t("sessions")} what={t("sessions.what")}>
        <ErrorBanner error={end.error ?? others.error} />
        {list.isPending ? <Loading rows={1} height={56} /> : null}
        {list.isError ? <Failed error={list.error} /> : null}
        {list.data ? (
          <ul className="rows inset" aria-label={t("sessions")}>
            {rows.map((row) => (
              <li key={row.id}>
                <span className="row-main"><b>{browser(row.user_agent)}</b><span className="sub mono">{row.client_address}</span></span>
                <span className="row-fact faint"><When moment={row.seen_at} /></span>
                <span className="row-acts">
                  {row.current ? <Chip tone="accent" icon="check">{t("sessions.this")}</Chip> : <Button small look="danger" aria-label={t("sessions.end.label", { name: browser(row.user_agent) })} onPress={() => end.mutate(row.id)}>{t("sessions.end")}</Button>}
                </span>
              </li>
            ))}
          </ul>
        ) : null}
        {rows.length > 1 ? <div><Button busy={others.isPending} onPress={() => others.mutate()}>{t("sessions.others")}</Button></div> : null}
    </Section>
  );
}

/** The name a browser gives itself, short enough to recognise. */
function browser(agent: string): string {
  const found = /(Firefox|Edg|OPR|Chrome|Safari|curl)\/([\d]+)/.exec(agent.includes("Edg/") ? agent.replace(/Chrome\/\S+/, "") : agent);
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent)?.[1];
  return [found ? `${found[1]} ${found[2]}` : agent.slice(0, 40), system].filter(Boolean).join(" · ");
}
