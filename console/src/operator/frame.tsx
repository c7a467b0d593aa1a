// The operator's menu on the left, and who may see it.
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useWords } from "../i18n";
import { useSession } from "../parts/current";
import { Icon, type IconName } from "../parts/icon";
import { Empty } from "../parts/states";

const PAGES: { to: string; icon: IconName; name: "operator.accounts" | "operator.people" | "operator.catalog" | "operator.gateways" | "operator.credentials" | "operator.audit" }[] = [
  { to: "/operator/accounts", icon: "layers", name: "operator.accounts" },
  { to: "/operator/people", icon: "people", name: "operator.people" },
  { to: "/operator/catalog", icon: "page", name: "operator.catalog" },
  { to: "/operator/gateways", icon: "door", name: "operator.gateways" },
  { to: "/operator/platform-credentials", icon: "key", name: "operator.credentials" },
  { to: "/operator/audit", icon: "pulse", name: "operator.audit" },
];

export function OperatorFrame() {
  const { t } = useWords();
  const { operator } = useSession();
  const path = useLocation({ select: (location) => location.pathname });
  if (!operator) return <main className="page" id="main"><Empty icon="layers" title={t("operator.no")}>{t("operator.no.why")}</Empty></main>;
  return (
    <div className="shell operator">
      <nav className="left" aria-label={t("operator")}>
        <h3>{t("operator")}</h3>
        {PAGES.map((page) => (
          <Link key={page.to} to={page.to} aria-current={path.startsWith(page.to) ? "page" : undefined}>
            <Icon name={page.icon} />
            {t(page.name)}
          </Link>
        ))}
      </nav>
      <Outlet />
    </div>
  );
}
