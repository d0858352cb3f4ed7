import { ArrowRight, Languages } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Navigate, useNavigate, useSearchParams } from "react-router";
import { ApiError, unwrap } from "@/api/problem";
import { useServices, useUser } from "@/app/services";
import { LanguageChoice } from "@/shell/topbar";
import { Button } from "@/ui/button";
import { CheckField, Field, Input } from "@/ui/field";
import { Wordmark } from "@/ui/logo";
import { Menu } from "@/ui/menu";
import { ErrorPanel } from "@/ui/states";

type Form = { email: string; password: string; keep: boolean };

/** Only a path of this site: an address given by a stranger must not lead elsewhere. */
export function safeReturn(path: string | null): string {
  if (!path?.startsWith("/") || /^\/[/\\]/.test(path) || path.startsWith("/login")) return "/admin/backup";
  return path;
}

export function Login() {
  const { t } = useTranslation();
  const { api, session } = useServices();
  const user = useUser();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const target = safeReturn(search.get("return"));
  const [problem, setProblem] = useState<unknown>(null);
  const { register, handleSubmit, formState, setFocus, resetField } = useForm<Form>({
    defaultValues: { email: "", password: "", keep: false },
  });
  const { errors } = formState;

  const submit = handleSubmit(async ({ email, password, keep }) => {
    setProblem(null);
    try {
      session.signIn(
        unwrap(await api.POST("/api/auth/login", { body: { email: email.trim(), password } })),
        keep,
      );
      navigate(target, { replace: true });
    } catch (error) {
      setProblem(error);
      if (error instanceof ApiError && error.status === 401) {
        resetField("password");
        setFocus("password");
      }
    }
  });

  if (user) return <Navigate to={target} replace />;
  return (
    <main className="flex min-h-dvh flex-col bg-canvas">
      <title>{`${t("login.title")} · Guarda`}</title>
      <div className="flex justify-end p-3">
        <Menu
          trigger={
            <Button
              variant="ghost"
              aria-label={t("language.label")}
              icon={<Languages size={17} aria-hidden />}
            />
          }
        >
          <LanguageChoice />
        </Menu>
      </div>
      <div className="flex flex-1 items-start justify-center px-4 pt-[9vh] pb-16">
        <div className="w-full max-w-[368px]">
          <div className="mb-7 flex flex-col items-center gap-2 text-center">
            <Wordmark size={34} />
            <p className="text-ink-2">{t("login.tagline")}</p>
          </div>
          <div className="card p-6">
            <h1 className="mb-4 font-semibold text-base">{t("login.title")}</h1>
            <form onSubmit={submit} noValidate className="flex flex-col gap-4">
              {problem !== null && <ErrorPanel compact error={problem} />}
              <Field label={t("login.email")} error={errors.email?.message}>
                {(props) => (
                  <Input
                    {...props}
                    {...register("email", { required: t("login.email_missing") })}
                    type="email"
                    autoComplete="username"
                    autoFocus
                  />
                )}
              </Field>
              <Field label={t("login.password")} error={errors.password?.message}>
                {(props) => (
                  <Input
                    {...props}
                    {...register("password", { required: t("login.password_missing") })}
                    type="password"
                    autoComplete="current-password"
                  />
                )}
              </Field>
              <CheckField {...register("keep")} label={t("login.keep")} help={t("login.keep_help")} />
              <Button type="submit" variant="primary" className="mt-1 w-full" busy={formState.isSubmitting}>
                {formState.isSubmitting ? t("login.signing_in") : t("login.submit")}
                <ArrowRight size={15} aria-hidden />
              </Button>
            </form>
          </div>
        </div>
      </div>
    </main>
  );
}
