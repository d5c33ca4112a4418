#include "win32.h"

int brood_win32_only_us(brood_win32_access *us, DWORD mask, const char *what)
{
    DWORD size = 0;

    memset(us, 0, sizeof *us);
    if (!BROOD_WIN("GetTokenInformation", ERROR_NO_SYSTEM_RESOURCES, FALSE,
                   GetTokenInformation(GetCurrentThreadEffectiveToken(), TokenUser, &us->owner,
                                       sizeof us->owner, &size)) ||
        !InitializeAcl(&us->access.acl, sizeof us->access, ACL_REVISION) ||
        (mask != 0 &&
         !AddAccessAllowedAce(&us->access.acl, ACL_REVISION, mask, us->owner.user.User.Sid)) ||
        !InitializeSecurityDescriptor(&us->descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&us->descriptor, TRUE, &us->access.acl, FALSE)) {
        return brood_win32_error(GetLastError(), "say who may open %s", what);
    }
    us->attributes.nLength = sizeof us->attributes;
    us->attributes.lpSecurityDescriptor = &us->descriptor;
    us->attributes.bInheritHandle = FALSE;
    return 0;
}
