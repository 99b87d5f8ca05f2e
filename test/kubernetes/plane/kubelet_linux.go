// The node agent, on Linux only: elsewhere its container code does not build.

package main

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/kubernetes/cmd/kubelet/app"
)

func init() {
	components["kubelet"] = kubernetes(func() *cobra.Command { return app.NewKubeletCommand(context.Background()) })
}
