// What the last probe of a gateway found: what passed that must not, and how to mend it. It runs no probe itself.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from "react-aria-components";
import type { GatewayProbe } from "../api/client";
import { gatewayProbeQuery } from "../api/queries";
import { useWords } from "../i18n";
import { Chip, Copyable, type Tone } from "../parts/controls";
import { Icon, type IconName } from "../parts/icon";
import { Failed, When } from "../parts/states";
import "../parts/deliveries.css";

type Checked = GatewayProbe["report"]["checks"][number];
const LOOK: Record<Checked["verdict"], { tone: Tone; icon: IconName }> = {
  shut: { tone: "enabled", icon: "check" },
  found: { tone: "danger", icon: "cross" },
  not_checked: { tone: "line", icon: "clock" },
};
/** What was found comes first, what was not looked at before what is well. */
const ORDER: Checked["verdict"][] = ["found", "not_checked", "shut"];

export function LastProbe({ name }: { name: string }) {
  const { t } = useWords();
  const last = useQuery(gatewayProbeQuery(name));
  const [open, setOpen] = useState(false);
  if (last.isError) return <div className="row-below"><Failed error={last.error} retry={() => void last.refetch()} /></div>;
  if (!last.data) return null;
  const { probe } = last.data;
  if (!probe) {
    return (
      <div className="row-below stack tight">
        <p className="help">{t("probe.none")}</p>
        <Copyable label={t("probe.command")} value={`countersign gateway probe URL --path PATH --token-file FILE --gateway ${name}`} />
      </div>
    );
  }
  const { checks, url } = probe.report;
  const count = (verdict: Checked["verdict"]) => checks.filter((row) => row.verdict === verdict).length;
  const found = count("found");
  const skipped = count("not_checked");
  return (
    <Disclosure className="delivery row-below" isExpanded={open} onExpandedChange={setOpen}>
      <Heading level={2}>
        <AriaButton slot="trigger" className="opener" aria-label={t("probe.label", { name })}>
          <Icon name="right" />
          <span className="delivery-what"><b>{t("probe.last")}</b></span>
          <span className="delivery-to mono">{url}</span>
          <span className="delivery-state">
            <Chip tone={found > 0 ? "danger" : "enabled"} icon={found > 0 ? "cross" : "check"}>{found > 0 ? t("probe.found.count", { count: found }) : t("probe.shut")}</Chip>
            {skipped > 0 ? <Chip tone="line">{t("probe.skipped.count", { count: skipped })}</Chip> : null}
          </span>
          <span className="delivery-when"><When moment={probe.at} /></span>
        </AriaButton>
      </Heading>
      <DisclosurePanel>
        {open ? (
          <ul className="stack" aria-label={t("probe.last")}>
            {[...checks].sort((one, other) => ORDER.indexOf(one.verdict) - ORDER.indexOf(other.verdict)).map((row) => <Check key={row.check} row={row} />)}
          </ul>
        ) : null}
      </DisclosurePanel>
    </Disclosure>
  );
}

function Check({ row }: { row: Checked }) {
  const { t } = useWords();
  const { tone, icon } = LOOK[row.verdict];
  return (
    <li className="stack tight">
      <div className="row-fact"><Chip tone={tone} icon={icon}>{t(`probe.${row.verdict}`)}</Chip><b>{t(`probe.check.${row.check}`)}</b></div>
      {row.verdict === "found" ? (
        <>
          <p>{t(`probe.mend.${row.check}`)}</p>
          {/* In the words of the gateway's configuration. */}
          {row.directive ? <p className="mono" lang="en">{row.directive}</p> : null}
          <ul className="attempts" aria-label={t("probe.findings", { count: row.found })}>
            {row.findings.map((one, index) => (
              // What was sent and what came of it, as it was on the wire.
              <li key={index} className="probe-finding mono" lang="en"><span>{one.sent}</span><span className="bad">{one.happened}</span></li>
            ))}
          </ul>
        </>
      ) : null}
    </li>
  );
}
