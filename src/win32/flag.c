/* Flags: manual-reset events. */
#include "win32.h"

int brood_os_flag_create(brood_os_flag *out)
{
    HANDLE event = NULL;
    const int rc = brood_win32_event(&event);

    if (rc == 0) {
        *out = (brood_os_flag){(brood_os_handle)event, BROOD_NO_HANDLE};
    }
    return rc;
}

void brood_os_flag_raise(const brood_os_flag *flag)
{
    (void)SetEvent(brood_win32_handle(flag->wait));
}

void brood_os_flag_lower(const brood_os_flag *flag)
{
    (void)ResetEvent(brood_win32_handle(flag->wait));
}

void brood_os_flag_close(brood_os_flag *flag)
{
    brood_win32_close(brood_win32_handle(flag->wait));
    *flag = BROOD_OS_FLAG_NONE;
}
