/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h - the functions behind the rows of routes.c, each in the file of its resource. */
#pragma once

#include "api/answer.h"
#include "api/handlers_system.h"

/* oci_base.c */
err_t oci_ping(struct ctx *ctx, struct request *rq);
err_t oci_discover_get(struct ctx *ctx, struct request *rq);
err_t oci_catalog_get(struct ctx *ctx, struct request *rq);
err_t oci_tags_get(struct ctx *ctx, struct request *rq);

/* oci_blob.c */
err_t oci_blob_get(struct ctx *ctx, struct request *rq);
err_t oci_blob_delete(struct ctx *ctx, struct request *rq);

/* oci_upload.c */
err_t oci_upload_post(struct ctx *ctx, struct request *rq);
err_t oci_upload_patch(struct ctx *ctx, struct request *rq);
err_t oci_upload_put(struct ctx *ctx, struct request *rq);
err_t oci_upload_get(struct ctx *ctx, struct request *rq);
err_t oci_upload_delete(struct ctx *ctx, struct request *rq);

/* oci_manifest.c */
err_t oci_manifest_get(struct ctx *ctx, struct request *rq);
err_t oci_manifest_put(struct ctx *ctx, struct request *rq);
err_t oci_manifest_delete(struct ctx *ctx, struct request *rq);

/* oci_referrers.c */
err_t oci_referrers_get(struct ctx *ctx, struct request *rq);

/* token.c */
err_t token_get(struct ctx *ctx, struct request *rq);
err_t token_post(struct ctx *ctx, struct request *rq);

/* berth_identity.c */
err_t berth_provider_list(struct ctx *ctx, struct request *rq);
err_t berth_provider_create(struct ctx *ctx, struct request *rq);
err_t berth_provider_get(struct ctx *ctx, struct request *rq);
err_t berth_provider_update(struct ctx *ctx, struct request *rq);
err_t berth_provider_delete(struct ctx *ctx, struct request *rq);
err_t harbor_oidc_ping(struct ctx *ctx, struct request *rq);

/* berth_user.c */
err_t berth_user_get(struct ctx *ctx, struct request *rq);
err_t berth_user_update(struct ctx *ctx, struct request *rq);
err_t berth_token_list(struct ctx *ctx, struct request *rq);
err_t berth_token_create(struct ctx *ctx, struct request *rq);
err_t berth_token_delete(struct ctx *ctx, struct request *rq);
err_t berth_session_list(struct ctx *ctx, struct request *rq);
err_t berth_session_delete(struct ctx *ctx, struct request *rq);
err_t berth_session_delete_all(struct ctx *ctx, struct request *rq);

/* openapi.c */
err_t berth_openapi_get(struct ctx *ctx, struct request *rq);

/* harbor.c */
err_t harbor_later(struct ctx *ctx, struct request *rq);

/* harbor_project.c */
err_t harbor_ping(struct ctx *ctx, struct request *rq);
err_t harbor_project_list(struct ctx *ctx, struct request *rq);
err_t harbor_project_create(struct ctx *ctx, struct request *rq);
err_t harbor_project_get(struct ctx *ctx, struct request *rq);
err_t harbor_project_update(struct ctx *ctx, struct request *rq);
err_t harbor_project_delete(struct ctx *ctx, struct request *rq);
err_t harbor_project_head(struct ctx *ctx, struct request *rq);
err_t harbor_project_deletable(struct ctx *ctx, struct request *rq);
err_t harbor_project_summary(struct ctx *ctx, struct request *rq);

/* harbor_scanner.c */
err_t harbor_scanner_of_project(struct ctx *ctx, struct request *rq);
err_t harbor_scanner_candidates(struct ctx *ctx, struct request *rq);

/* harbor_metadata.c */
err_t harbor_metadata_list(struct ctx *ctx, struct request *rq);
err_t harbor_metadata_add(struct ctx *ctx, struct request *rq);
err_t harbor_metadata_get(struct ctx *ctx, struct request *rq);
err_t harbor_metadata_update(struct ctx *ctx, struct request *rq);
err_t harbor_metadata_delete(struct ctx *ctx, struct request *rq);

/* harbor_member.c */
err_t harbor_member_list(struct ctx *ctx, struct request *rq);
err_t harbor_member_create(struct ctx *ctx, struct request *rq);
err_t harbor_member_get(struct ctx *ctx, struct request *rq);
err_t harbor_member_update(struct ctx *ctx, struct request *rq);
err_t harbor_member_delete(struct ctx *ctx, struct request *rq);
err_t berth_member_list(struct ctx *ctx, struct request *rq);
err_t berth_member_create(struct ctx *ctx, struct request *rq);
err_t berth_member_get(struct ctx *ctx, struct request *rq);
err_t berth_member_update(struct ctx *ctx, struct request *rq);

/* harbor_permission.c */
err_t harbor_permission_list(struct ctx *ctx, struct request *rq);
err_t harbor_permission_mine(struct ctx *ctx, struct request *rq);

/* berth_rename.c */
err_t berth_project_rename(struct ctx *ctx, struct request *rq);
err_t berth_project_aliases(struct ctx *ctx, struct request *rq);
err_t berth_project_alias_delete(struct ctx *ctx, struct request *rq);
err_t berth_repository_rename(struct ctx *ctx, struct request *rq);
err_t berth_repository_aliases(struct ctx *ctx, struct request *rq);
err_t berth_repository_alias_delete(struct ctx *ctx, struct request *rq);

/* berth_role.c */
err_t berth_role_list(struct ctx *ctx, struct request *rq);
err_t berth_role_create(struct ctx *ctx, struct request *rq);
err_t berth_role_get(struct ctx *ctx, struct request *rq);
err_t berth_role_update(struct ctx *ctx, struct request *rq);
err_t berth_role_delete(struct ctx *ctx, struct request *rq);

/* berth_authz.c */
err_t berth_authz_explain(struct ctx *ctx, struct request *rq);

/* harbor_repository.c */
err_t harbor_repository_list_all(struct ctx *ctx, struct request *rq);
err_t harbor_repository_list(struct ctx *ctx, struct request *rq);
err_t harbor_repository_get(struct ctx *ctx, struct request *rq);
err_t harbor_repository_update(struct ctx *ctx, struct request *rq);
err_t harbor_repository_delete(struct ctx *ctx, struct request *rq);

/* harbor_artifact.c */
err_t harbor_artifact_list(struct ctx *ctx, struct request *rq);
err_t harbor_artifact_list_of_project(struct ctx *ctx, struct request *rq);
err_t harbor_artifact_get(struct ctx *ctx, struct request *rq);
err_t harbor_artifact_delete(struct ctx *ctx, struct request *rq);
err_t harbor_accessory_list(struct ctx *ctx, struct request *rq);
err_t harbor_tag_list(struct ctx *ctx, struct request *rq);
err_t harbor_artifact_copy(struct ctx *ctx, struct request *rq);
err_t harbor_tag_create(struct ctx *ctx, struct request *rq);
err_t harbor_tag_delete(struct ctx *ctx, struct request *rq);
err_t harbor_artifact_label_add(struct ctx *ctx, struct request *rq);
err_t harbor_artifact_label_remove(struct ctx *ctx, struct request *rq);

/* harbor_label.c */
err_t harbor_label_list(struct ctx *ctx, struct request *rq);
err_t harbor_label_create(struct ctx *ctx, struct request *rq);
err_t harbor_label_get(struct ctx *ctx, struct request *rq);
err_t harbor_label_update(struct ctx *ctx, struct request *rq);
err_t harbor_label_delete(struct ctx *ctx, struct request *rq);

/* harbor_user.c */
err_t harbor_user_list(struct ctx *ctx, struct request *rq);
err_t harbor_user_create(struct ctx *ctx, struct request *rq);
err_t harbor_user_current(struct ctx *ctx, struct request *rq);
err_t harbor_user_search(struct ctx *ctx, struct request *rq);
err_t harbor_user_get(struct ctx *ctx, struct request *rq);
err_t harbor_user_update(struct ctx *ctx, struct request *rq);
err_t harbor_user_delete(struct ctx *ctx, struct request *rq);
err_t harbor_user_sysadmin(struct ctx *ctx, struct request *rq);
err_t harbor_user_password(struct ctx *ctx, struct request *rq);
err_t harbor_user_cli_secret(struct ctx *ctx, struct request *rq);

/* harbor_user_group.c */
err_t harbor_group_list(struct ctx *ctx, struct request *rq);
err_t harbor_group_create(struct ctx *ctx, struct request *rq);
err_t harbor_group_search(struct ctx *ctx, struct request *rq);
err_t harbor_group_get(struct ctx *ctx, struct request *rq);
err_t harbor_group_update(struct ctx *ctx, struct request *rq);
err_t harbor_group_delete(struct ctx *ctx, struct request *rq);

/* portal.c */
err_t portal_login(struct ctx *ctx, struct request *rq);
err_t portal_log_out(struct ctx *ctx, struct request *rq);
err_t portal_user_exists(struct ctx *ctx, struct request *rq);

/* portal_oidc.c */
err_t portal_oidc_providers(struct ctx *ctx, struct request *rq);
err_t portal_oidc_login(struct ctx *ctx, struct request *rq);
err_t portal_oidc_callback(struct ctx *ctx, struct request *rq);
err_t portal_oidc_onboard(struct ctx *ctx, struct request *rq);
err_t portal_oidc_logout(struct ctx *ctx, struct request *rq);
err_t portal_oidc_backchannel(struct ctx *ctx, struct request *rq);
/* harbor_audit.c */
err_t harbor_audit_logs(struct ctx *ctx, struct request *rq);
err_t harbor_audit_exts(struct ctx *ctx, struct request *rq);
err_t harbor_audit_events(struct ctx *ctx, struct request *rq);
err_t harbor_project_logs(struct ctx *ctx, struct request *rq);
err_t harbor_project_log_exts(struct ctx *ctx, struct request *rq);

/* harbor_search.c */
err_t harbor_search(struct ctx *ctx, struct request *rq);
err_t harbor_statistics(struct ctx *ctx, struct request *rq);

/* harbor_addition.c */
err_t harbor_addition_get(struct ctx *ctx, struct request *rq);
err_t harbor_icon_get(struct ctx *ctx, struct request *rq);

/* berth_audit.c */
err_t berth_audit_list(struct ctx *ctx, struct request *rq);
err_t berth_audit_export(struct ctx *ctx, struct request *rq);
err_t berth_audit_status(struct ctx *ctx, struct request *rq);
err_t berth_audit_forwarding(struct ctx *ctx, struct request *rq);
err_t berth_audit_check_get(struct ctx *ctx, struct request *rq);
err_t berth_audit_check_start(struct ctx *ctx, struct request *rq);
err_t berth_audit_erase(struct ctx *ctx, struct request *rq);
