// SPDX-License-Identifier: Apache-2.0

// Command goclient asks a server with Harbor's Go client, which its command line and many operators are built on. The
// client is generated: it fails at a status that Harbor's description does not declare, and at a body it cannot parse.
//
//	goclient URL NAME PASSWORD PROJECT
//
// PROJECT must not exist. Each step is printed as it is done; the first failure ends the program.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/goharbor/go-client/pkg/harbor"
	v2 "github.com/goharbor/go-client/pkg/sdk/v2.0/client"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/auditlog"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/configure"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/health"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/label"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/member"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/permissions"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/ping"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/project_metadata"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/quota"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/robot"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/search"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/statistic"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/system_cve_allowlist"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/systeminfo"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/user"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/client/usergroup"
	"github.com/goharbor/go-client/pkg/sdk/v2.0/models"
)

var ctx = context.Background()

func end(step string, problem any) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", step, problem)
	os.Exit(1)
}

// got gives back what a step answered, or ends the program.
func got[T any](answer T, err error) func(step string) T {
	return func(step string) T {
		if err != nil {
			end(step, err)
		}
		fmt.Println("ok", step)
		return answer
	}
}

func want(step string, fits bool, have any) {
	if !fits {
		end(step, fmt.Sprintf("unexpected: %+v", have))
	}
}

// refused ends the program unless the step failed with this type of the client's.
func refused[E error](step string, err error) {
	if _, is := err.(E); !is {
		end(step, fmt.Sprintf("%T %v", err, err))
	}
	fmt.Println("ok", step)
}

func idOf(step, location string) int64 {
	id, err := strconv.ParseInt(location[strings.LastIndex(location, "/")+1:], 10, 64)
	if err != nil {
		end(step, location)
	}
	return id
}

func ref[T any](value T) *T { return &value }

func system(c *v2.HarborAPI) {
	got(c.Ping.GetPing(ctx, ping.NewGetPingParams()))("ping")
	state := got(c.Health.GetHealth(ctx, health.NewGetHealthParams()))("health")
	want("health", state.Payload.Status == "healthy", state.Payload)
	about := got(c.Systeminfo.GetSystemInfo(ctx, systeminfo.NewGetSystemInfoParams()))("systeminfo")
	want("systeminfo", about.Payload.HarborVersion != nil && about.Payload.CurrentTime != nil, about.Payload)
	got(c.Systeminfo.GetVolumes(ctx, systeminfo.NewGetVolumesParams()))("volumes")
	got(c.Statistic.GetStatistic(ctx, statistic.NewGetStatisticParams()))("statistics")
	got(c.Permissions.GetPermissions(ctx, permissions.NewGetPermissionsParams()))("permissions")
	got(c.Configure.UpdateConfigurations(ctx, &configure.UpdateConfigurationsParams{
		Configurations: &models.Configurations{TokenExpiration: ref(int64(45))}}))("change the configuration")
	settings := got(c.Configure.GetConfigurations(ctx, configure.NewGetConfigurationsParams()))("configuration")
	want("configuration", settings.Payload.TokenExpiration.Value == 45, settings.Payload.TokenExpiration)
	got(c.SystemCVEAllowlist.PutSystemCVEAllowlist(ctx, &system_cve_allowlist.PutSystemCVEAllowlistParams{
		Allowlist: &models.CVEAllowlist{Items: []*models.CVEAllowlistItem{{CVEID: "CVE-2026-1"}}}}))("change the allowlist")
	list := got(c.SystemCVEAllowlist.GetSystemCVEAllowlist(ctx, system_cve_allowlist.NewGetSystemCVEAllowlistParams()))("allowlist")
	want("allowlist", len(list.Payload.Items) == 1, list.Payload)
}

func people(c *v2.HarborAPI, name string) {
	made := got(c.User.CreateUser(ctx, &user.CreateUserParams{UserReq: &models.UserCreationReq{
		Username: name, Password: "Secret-1234", Email: name + "@example.com", Realname: "Go Pher"}}))("create a user")
	id := idOf("create a user", made.Location)
	got(c.User.SetUserSysAdmin(ctx, &user.SetUserSysAdminParams{
		UserID: id, SysadminFlag: &models.UserSysAdminFlag{SysadminFlag: true}}))("make an administrator")
	all := got(c.User.ListUsers(ctx, &user.ListUsersParams{Page: ref(int64(0)), PageSize: ref(int64(0)), Q: ref("username=" + name)}))("users")
	want("users", len(all.Payload) == 1 && all.Payload[0].SysadminFlag, all.Payload)
	got(c.User.UpdateUserPassword(ctx, &user.UpdateUserPasswordParams{
		UserID: id, Password: &models.PasswordReq{NewPassword: "Other-1234"}}))("change a password")
	group := got(c.Usergroup.CreateUserGroup(ctx, &usergroup.CreateUserGroupParams{
		Usergroup: &models.UserGroup{GroupName: name, GroupType: 3}}))("create a group")
	got(c.Usergroup.GetUserGroup(ctx, &usergroup.GetUserGroupParams{GroupID: idOf("group", group.Location)}))("group")
}

func projects(c *v2.HarborAPI, name string) int64 {
	wanted := &models.ProjectReq{ProjectName: name, StorageLimit: ref(int64(1 << 30)), Metadata: &models.ProjectMetadata{Public: "true"}}
	got(c.Project.CreateProject(ctx, &project.CreateProjectParams{Project: wanted}))("create a project")
	_, err := c.Project.CreateProject(ctx, &project.CreateProjectParams{Project: wanted})
	refused[*project.CreateProjectConflict]("create it again", err)
	got(c.Project.HeadProject(ctx, &project.HeadProjectParams{ProjectName: name}))("is there a project")
	byName := &project.GetProjectParams{ProjectNameOrID: name, XIsResourceName: ref(true)}
	found := got(c.Project.GetProject(ctx, byName))("project")
	want("project", found.Payload.Metadata.Public == "true", found.Payload)
	got(c.ProjectMetadata.AddProjectMetadatas(ctx, &project_metadata.AddProjectMetadatasParams{
		ProjectNameOrID: name, Metadata: map[string]string{"severity": "high"}}))("metadata")
	got(c.Project.GetProjectSummary(ctx, &project.GetProjectSummaryParams{ProjectNameOrID: name}))("summary")
	got(c.Project.GetScannerOfProject(ctx, &project.GetScannerOfProjectParams{ProjectNameOrID: name}))("scanner")
	joined := got(c.Member.CreateProjectMember(ctx, &member.CreateProjectMemberParams{ProjectNameOrID: name,
		ProjectMember: &models.ProjectMember{RoleID: 2, MemberUser: &models.UserEntity{Username: name}}}))("add a member")
	got(c.Member.UpdateProjectMember(ctx, &member.UpdateProjectMemberParams{ProjectNameOrID: name,
		Mid: idOf("member", joined.Location), Role: &models.RoleRequest{RoleID: 4}}))("change a member")
	members := got(c.Member.ListProjectMembers(ctx, &member.ListProjectMembersParams{ProjectNameOrID: name}))("members")
	want("members", len(members.Payload) == 2, members.Payload)
	return int64(found.Payload.ProjectID)
}

func quotas(c *v2.HarborAPI, id int64) {
	found := got(c.Quota.ListQuotas(ctx, &quota.ListQuotasParams{Reference: ref("project"), ReferenceID: ref(strconv.FormatInt(id, 10))}))("quotas")
	want("quotas", len(found.Payload) == 1 && found.Payload[0].Hard["storage"] == 1<<30, found.Payload)
	number := found.Payload[0].ID
	got(c.Quota.UpdateQuota(ctx, &quota.UpdateQuotaParams{ID: number, Hard: &models.QuotaUpdateReq{Hard: models.ResourceList{"storage": -1}}}))("change a quota")
	after := got(c.Quota.GetQuota(ctx, &quota.GetQuotaParams{ID: number}))("quota")
	want("quota", after.Payload.Hard["storage"] == -1, after.Payload)
}

func robotsAndLabels(c *v2.HarborAPI, name string, id int64) {
	made := got(c.Robot.CreateRobot(ctx, &robot.CreateRobotParams{Robot: &models.RobotCreate{
		Name: "builder", Level: "project", Duration: 30, Permissions: []*models.RobotPermission{{
			Kind: "project", Namespace: name, Access: []*models.Access{{Resource: "repository", Action: "push"}}}}}}))("create a robot")
	want("create a robot", made.Payload.Secret != "", made.Payload)
	got(c.Robot.RefreshSec(ctx, &robot.RefreshSecParams{RobotID: made.Payload.ID, RobotSec: &models.RobotSec{Secret: ""}}))("new secret")
	all := got(c.Robot.ListRobot(ctx, &robot.ListRobotParams{Q: ref(fmt.Sprintf("Level=project,ProjectID=%d", id))}))("robots")
	want("robots", len(all.Payload) == 1, all.Payload)
	got(c.Label.CreateLabel(ctx, &label.CreateLabelParams{Label: &models.Label{Name: name, Scope: "p", ProjectID: id, Color: "#00FF00"}}))("create a label")
	labels := got(c.Label.ListLabels(ctx, &label.ListLabelsParams{Scope: ref("p"), ProjectID: &id}))("labels")
	want("labels", len(labels.Payload) == 1, labels.Payload)
	got(c.Label.DeleteLabel(ctx, &label.DeleteLabelParams{LabelID: labels.Payload[0].ID}))("delete a label")
	got(c.Robot.DeleteRobot(ctx, &robot.DeleteRobotParams{RobotID: made.Payload.ID}))("delete a robot")
}

func endOf(c *v2.HarborAPI, name string) {
	found := got(c.Search.Search(ctx, &search.SearchParams{Q: name}))("search")
	want("search", len(found.Payload.Project) == 1, found.Payload)
	trail := got(c.Auditlog.ListAuditLogExts(ctx, &auditlog.ListAuditLogExtsParams{Q: ref("resource=" + name)}))("audit log")
	want("audit log", len(trail.Payload) > 0, trail.Payload)
	got(c.Project.DeleteProject(ctx, &project.DeleteProjectParams{ProjectNameOrID: name}))("delete the project")
	_, err := c.Project.HeadProject(ctx, &project.HeadProjectParams{ProjectName: name})
	refused[*project.HeadProjectNotFound]("it is gone", err)
}

func main() {
	if len(os.Args) != 5 {
		end("usage", "goclient URL NAME PASSWORD PROJECT")
	}
	url, account, password, name := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	set := got(harbor.NewClientSet(&harbor.ClientSetConfig{URL: url, Username: account, Password: password}))("client")
	c := set.V2()
	system(c)
	people(c, name)
	id := projects(c, name)
	quotas(c, id)
	robotsAndLabels(c, name, id)
	endOf(c, name)
}
